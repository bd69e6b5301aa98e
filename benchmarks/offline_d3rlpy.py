"""d3rlpy's BCQ and BEAR on the same noise, as its `fit` would train them.

Runs in an environment of its own (`benchmarks.environments`), which has none of
our packages:

    python -m benchmarks.offline_d3rlpy '{"kind": "bcq", ...}'

Each step samples a batch from d3rlpy's buffer and updates; nothing is logged,
evaluated or saved.
"""

from collections.abc import Callable, Mapping
import json
import sys
from typing import Any

import d3rlpy
import numpy as np
import torch

from benchmarks import noise, timing

_THREADS = 2
_CONFIGS = {'bcq': d3rlpy.algos.BCQConfig, 'bear_mmd': d3rlpy.algos.BEARConfig}


def main() -> None:
  """Prints the rates of the case that the first argument describes."""
  case = json.loads(sys.argv[1])
  torch.set_num_threads(_THREADS)
  rates = timing.rates(make(case), case['steps'])
  versions = {'d3rlpy': d3rlpy.__version__, 'torch': torch.__version__}
  print(json.dumps({'rates': rates, 'versions': versions}))


def make(case: Mapping[str, Any]) -> Callable[[int], None]:
  """What does so many updates.

  Args:
    case: 'kind', 'batch_size', 'layer_sizes' of every network, and 'samples':
      candidates of BCQ's target, and of BEAR's,
      whose MMD compares 'matched' actions.
  """
  dataset = d3rlpy.dataset.create_fifo_replay_buffer(
    limit=noise.TRANSITIONS, episodes=[_episode(*e) for e in noise.episodes()]
  )
  encoder = d3rlpy.models.VectorEncoderFactory(list(case['layer_sizes']))
  config = _CONFIGS[case['kind']](
    batch_size=case['batch_size'],
    actor_encoder_factory=encoder,
    critic_encoder_factory=encoder,
    imitator_encoder_factory=encoder,
    **_own(case),
  )
  learner = config.create(device='cpu:0')
  learner.create_impl((noise.OBSERVATION_SIZE,), noise.ACTION_SIZE)

  def run(steps: int) -> None:
    for _ in range(steps):
      learner.update(dataset.sample_transition_batch(case['batch_size']))

  return run


def _own(case: Mapping[str, Any]) -> dict[str, Any]:
  """Options of one agent alone; BEAR's warm-up is over."""
  if case['kind'] == 'bcq':
    return {'n_action_samples': case['samples']}
  return {
    'n_target_samples': case['samples'],
    'n_mmd_action_samples': case['matched'],
    'warmup_steps': 0,
  }


def _episode(
  observations: np.ndarray, actions: np.ndarray, rewards: np.ndarray
) -> d3rlpy.dataset.Episode:
  return d3rlpy.dataset.Episode(
    observations[:-1], actions, rewards[:, None], terminated=False
  )


if __name__ == '__main__':
  main()
