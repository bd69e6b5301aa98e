"""What a stored transition costs in memory: python -m benchmarks.memory.

Three sides, one after another, each in processes of its own, on transitions of
cheetah-run's sizes (17 observed values, 6 actions, n = 5):

- ours: 1,000,000 transitions in `datasets.memory.Memory`, which the learner
  samples. What grows is measured: the resident memory of the process, after
  the first episode and after the last one.
- advised: the same with a teacher's action for each transition, and what the
  policy of the cycle before does there, as `teacher_action` samples them.
- reverb: a table of 5-step transitions on a Reverb server in a process of its
  own, written by Acme's NStepTransitionAdder. The resident memory of the server
  is measured after the first episode and after the last one. Far fewer items,
  because this takes long; the memory grows in proportion to them.

Resident memory at 10,000,000 transitions is extrapolated: the measured growth
times ten.
"""

import argparse
from collections.abc import Iterator
import contextlib
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks import common
from benchmarks.resident import peak, resident
from datasets.types import Annotation, Episode, EpisodeId

_LENGTH = 1_000  # Steps of an episode.
_OBSERVATION_SIZE, _ACTION_SIZE = 17, 6
_N_STEP, _DISCOUNT = 5, 0.99
_BATCH_SIZE, _STEPS_PER_CALL = 256, 20
_RAW = 4 * (_OBSERVATION_SIZE + _ACTION_SIZE + 2)  # Each observation once.
_GOAL = 1.5 * _RAW
_ADVISED_GOAL = 150
_TABLE = 'priority_table'  # The name that Acme's adder writes to.


def main() -> None:
  """Runs both sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=['ours', 'advised', 'reverb', 'server'])
  parser.add_argument(
    '--episodes', type=int, default=1_000,
    help='episodes of 1000 steps for ours (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--reverb_episodes', type=int, default=20,
    help='episodes for Reverb, which takes longer (default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.side == 'server':
    serve()
  elif options.side == 'ours':
    common.print_json(run_ours(options.episodes))
  elif options.side == 'advised':
    common.print_json(run_advised(options.episodes))
  elif options.side == 'reverb':
    common.print_json(run_reverb(options.reverb_episodes))
  else:
    compare(options.episodes, options.reverb_episodes)


def compare(episodes: int, reverb_episodes: int) -> None:
  """Runs all sides and reports."""
  ours = common.run_side(
    'benchmarks.memory', 'ours', [f'--episodes={episodes}']
  )
  advised = common.run_side(
    'benchmarks.memory', 'advised', [f'--episodes={episodes}']
  )
  reverb = common.run_side(
    'benchmarks.memory', 'reverb', [f'--reverb_episodes={reverb_episodes}']
  )
  number = ours['transitions']
  grown = ours['grown_bytes'] / number
  result = {
    'benchmark': 'memory',
    'transitions': number,
    'bytes_per_transition': round(ours['allocated_bytes'] / number, 2),
    'goal_bytes_per_transition': _GOAL,
    'bytes_per_advised_transition': round(
      advised['allocated_bytes'] / advised['transitions'], 2
    ),
    'resident_bytes_per_advised_transition': round(
      advised['grown_bytes'] / advised['transitions'], 2
    ),
    'goal_bytes_per_advised_transition': _ADVISED_GOAL,
    'resident_bytes_per_transition': round(grown, 2),
    'base_bytes': ours['base_bytes'],
    'resident_bytes': ours['resident_bytes'],
    # With another number of episodes this one is extrapolated, too.
    'resident_bytes_at_1m': int(ours['base_bytes'] + 1_000_000 * grown),
    'peak_bytes': ours['peak_bytes'],
    'extrapolated_resident_bytes_at_10m': int(
      ours['base_bytes'] + 10_000_000 * grown
    ),
    'batches_per_second': ours['batches_per_second'],
    'reverb_items': reverb['items'],
    'reverb_bytes_per_transition': reverb['bytes_per_item'],
    'ratio_vs_reverb': round(reverb['bytes_per_item'] / grown, 2),
  }
  common.report('Memory of stored transitions', _lines(result), result)


def _lines(result: dict[str, Any]) -> dict[str, str]:
  each, peer = (
    result['bytes_per_transition'],
    result['reverb_bytes_per_transition'],
  )
  verdict = 'reached' if each <= _GOAL else 'missed'
  return {
    'raw data': f'{_RAW} bytes a transition',
    'allocated': f'{each} bytes a transition (goal: at most {_GOAL:g}: '
    f'{verdict})',
    'with advice, anchors': f'{result["bytes_per_advised_transition"]} bytes a '
    f'transition (goal: at most {_ADVISED_GOAL}), resident '
    f'{result["resident_bytes_per_advised_transition"]}',
    'resident growth': f'{result["resident_bytes_per_transition"]} bytes a '
    'transition',
    f'resident at {result["transitions"]:,}': _megabytes(
      result['resident_bytes']
    )
    + f', of which {_megabytes(result["base_bytes"])} before it grew',
    'peak while growing': _megabytes(result['peak_bytes']),
    'resident at 10,000,000': _megabytes(
      result['extrapolated_resident_bytes_at_10m']
    )
    + ' (extrapolated)',
    'sampling': f'{result["batches_per_second"]:,} batches of {_BATCH_SIZE} '
    'a second',
    'Reverb': f'{peer:,} bytes a transition, measured with '
    f'{result["reverb_items"]:,} items',
    'Reverb at 10,000,000': f'{_megabytes(10_000_000 * peer)} (extrapolated)',
    'Reverb / ours': f'{result["ratio_vs_reverb"]}',
  }


def _megabytes(number: float) -> str:
  return f'{number / 1e6:,.1f} MB'


def run_ours(episodes: int) -> dict[str, Any]:
  """Fills a memory, and samples it."""
  from datasets.memory import Memory, UniformSampler

  memory = Memory(_N_STEP, _DISCOUNT)
  stream = _episodes(episodes)
  memory.extend([next(stream)])
  base = resident()
  memory.extend(stream)
  grown, most = resident(), peak()
  sampler = UniformSampler(
    memory.gather, memory.num_transitions, _BATCH_SIZE, seed=0
  )
  sampler(0, _STEPS_PER_CALL)
  calls = 50
  started = time.perf_counter()
  for call in range(calls):
    sampler(call * _STEPS_PER_CALL, _STEPS_PER_CALL)
  seconds = time.perf_counter() - started
  return {
    'transitions': memory.num_transitions,
    'allocated_bytes': memory.nbytes,
    'base_bytes': base,
    'resident_bytes': grown,
    'grown_bytes': grown - base,
    'peak_bytes': most,
    'batches_per_second': round(calls * _STEPS_PER_CALL / seconds),
  }


def run_advised(episodes: int) -> dict[str, Any]:
  """Fills a memory with advice, and asks the anchor about all of it."""
  from agents import registry
  from agents.config import ObjectiveConfig
  from agents.d4pg.config import D4PGConfig
  from datasets.memory import Memory
  from datasets.types import EnvironmentSpec
  from launchers.nodes.batches import gather_for

  config = D4PGConfig()
  spec = EnvironmentSpec(_OBSERVATION_SIZE, _ACTION_SIZE)
  networks = registry.make_networks(config, spec, seed=0)
  objective = ObjectiveConfig('teacher_action')
  agent = registry.make_agent(config, networks, objective, 1)

  def fill(number: int) -> tuple[Memory, Any]:
    memory = Memory(_N_STEP, _DISCOUNT, with_labels=True)
    for episode in _episodes(number):
      advice = Annotation('teacher', '1', -episode.actions)
      memory.extend([episode._replace(annotation=advice)])
    return memory, gather_for(config, agent, memory)

  fill(5)  # What TensorFlow takes when it first computes is not the memory's.
  base = resident()
  memory, gather = fill(episodes)
  grown = resident()
  anchor = gather(np.arange(1)).anchor_action
  return {
    'transitions': memory.num_transitions,
    'allocated_bytes': memory.nbytes + memory.num_transitions * anchor.nbytes,
    'grown_bytes': grown - base,
  }


def run_reverb(episodes: int) -> dict[str, Any]:
  """Fills a table of a server in another process."""
  from acme.adders.reverb import NStepTransitionAdder
  import dm_env
  import reverb

  with _server() as (port, pid):
    client = reverb.Client(f'localhost:{port}')
    adder = NStepTransitionAdder(client, _N_STEP, _DISCOUNT)
    sizes = []
    for episode in _episodes(1 + episodes):
      adder.add_first(dm_env.restart(episode.observations[0]))
      for step in range(_LENGTH):
        is_last = step == _LENGTH - 1
        make = dm_env.truncation if is_last else dm_env.transition
        reward, seen = episode.rewards[step], episode.observations[step + 1]
        adder.add(episode.actions[step], make(reward, seen, np.float32(1)))
      items = client.server_info(60)[_TABLE].current_size
      sizes.append((items, resident(pid)))
  (items, grown), (first_items, base) = sizes[-1], sizes[0]
  return {
    'items': items,
    'bytes_per_item': round((grown - base) / (items - first_items), 1),
  }


def serve() -> None:
  """Serves a table until its input ends, after printing the port."""
  from datasets.reverb_client import import_reverb

  reverb = import_reverb()
  table = reverb.Table(
    _TABLE,
    reverb.selectors.Uniform(),
    reverb.selectors.Fifo(),
    max_size=10_000_000,
    rate_limiter=reverb.rate_limiters.MinSize(1),
  )
  server = reverb.Server([table])
  print(server.port, flush=True)
  sys.stdin.read()
  server.stop()


@contextlib.contextmanager
def _server() -> Iterator[tuple[int, int]]:
  command = [sys.executable, '-m', 'benchmarks.memory', '--side=server']
  with subprocess.Popen(
    command,
    cwd=common.ROOT,
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
  ) as process:
    try:
      assert process.stdout is not None
      yield int(process.stdout.readline()), process.pid
    finally:
      process.kill()


def _episodes(number: int) -> Iterator[Episode]:
  rng = np.random.default_rng(0)
  for index in range(number):
    yield Episode(
      EpisodeId('benchmark', 1, 0, index),
      'policy',
      rng.standard_normal((_LENGTH + 1, _OBSERVATION_SIZE), np.float32),
      rng.uniform(-1, 1, (_LENGTH, _ACTION_SIZE)).astype(np.float32),
      rng.random(_LENGTH, np.float32),
      np.ones(_LENGTH, np.float32),
    )


if __name__ == '__main__':
  main()
