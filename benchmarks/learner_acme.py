"""Acme's D4PG learner, fed by Acme's dataset from a Reverb server in-process.

Acme's own parts with the defaults of its agent: the n-step adder, the dataset,
two Adams. Nothing is logged and no checkpoint is written.
"""

from collections.abc import Iterable, Sequence

from acme import datasets, specs
from acme.adders import reverb as adders
from acme.agents.tf.d4pg import learning
from acme.tf import utils as tf2_utils
from acme.utils import loggers
import dm_env
import numpy as np
import reverb
import tensorflow as tf

from benchmarks import peers

Episode = tuple[np.ndarray, np.ndarray, np.ndarray]

_BATCH_SIZE, _N_STEP, _DISCOUNT = 256, 5, 0.99
_TARGET_UPDATE_PERIOD, _PREFETCH = 100, 4


def make_learner(episodes: Iterable[Episode]) -> learning.D4PGLearner:
  """A learner with a server that holds the episodes' transitions.

  Args:
    episodes: observations [T + 1, S], actions [T, A] and rewards [T].

  Returns:
    The learner; it keeps the server alive.
  """
  episodes = list(episodes)
  spec = spec_of(episodes)
  server, dataset = serve(episodes, _N_STEP, _BATCH_SIZE)
  nets = [peers.make_networks(spec.actions) for _ in range(2)]
  for online_or_target in nets:
    tf2_utils.create_variables(online_or_target['policy'], [spec.observations])
    tf2_utils.create_variables(
      online_or_target['critic'], [spec.observations, spec.actions]
    )
  learner = learning.D4PGLearner(
    policy_network=nets[0]['policy'],
    critic_network=nets[0]['critic'],
    target_policy_network=nets[1]['policy'],
    target_critic_network=nets[1]['critic'],
    discount=_DISCOUNT,
    target_update_period=_TARGET_UPDATE_PERIOD,
    dataset_iterator=iter(dataset),
    logger=loggers.NoOpLogger(),
    checkpoint=False,
  )
  learner.server = server
  return learner


def spec_of(episodes: Sequence[Episode]) -> specs.EnvironmentSpec:
  """What such episodes would be acted in."""
  observations, actions, _ = episodes[0]
  return specs.EnvironmentSpec(
    observations=specs.Array(observations.shape[1:], np.float32),
    actions=specs.BoundedArray(actions.shape[1:], np.float32, -1.0, 1.0),
    rewards=specs.Array((), np.float32),
    discounts=specs.BoundedArray((), np.float32, 0.0, 1.0),
  )


def serve(
  episodes: Sequence[Episode], n_step: int, batch_size: int
) -> tuple[reverb.Server, tf.data.Dataset]:
  """A server of the episodes' transitions, which must stay, and its dataset."""
  server = reverb.Server([_make_table(spec_of(episodes))])
  address = f'localhost:{server.port}'
  _insert(episodes, address, n_step)
  return server, datasets.make_reverb_dataset(
    server_address=address, batch_size=batch_size, prefetch_size=_PREFETCH
  )


def _make_table(spec: specs.EnvironmentSpec) -> reverb.Table:
  return reverb.Table(
    name=adders.DEFAULT_PRIORITY_TABLE,
    sampler=reverb.selectors.Uniform(),
    remover=reverb.selectors.Fifo(),
    max_size=1_000_000,
    rate_limiter=reverb.rate_limiters.MinSize(1),
    signature=adders.NStepTransitionAdder.signature(spec),
  )


def _insert(episodes: Iterable[Episode], address: str, n_step: int) -> None:
  adder = adders.NStepTransitionAdder(reverb.Client(address), n_step, _DISCOUNT)
  discount = np.float32(1)
  for observations, actions, rewards in episodes:
    first = dm_env.StepType.FIRST
    adder.add_first(dm_env.TimeStep(first, None, None, observations[0]))
    for t, (action, reward) in enumerate(zip(actions, rewards, strict=True)):
      is_last = t + 1 == len(rewards)
      step_type = dm_env.StepType.LAST if is_last else dm_env.StepType.MID
      adder.add(
        action,
        dm_env.TimeStep(step_type, reward, discount, observations[t + 1]),
      )
