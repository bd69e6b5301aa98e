"""How fast a log is read into memory: python -m benchmarks.loading.

A store of episodes of cheetah-run's sizes (1000 steps of 17 observed values and
6 actions) is written to a temporary directory. Then two sides read it, one
after another, each in a process of its own, from files that the system caches:

- ours: `launchers.training.offline.Log`, as `launchers.offline` does it: every
  file is checked against its digest and every episode for what it holds, and
  all go into the memory that is sampled. What that makes the process grow is
  measured, and how much more it ever took.
- numpy: `numpy.load` of every array of every file, kept in lists: nothing is
  checked but the archive's own checksums, and nothing is put in one place.

With the default number of episodes the log has 10,000,000 transitions, 1 GB.
"""

import argparse
from pathlib import Path
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks import common
from benchmarks.resident import peak, resident

_LENGTH = 1_000  # Steps of an episode.
_OBSERVATION_SIZE, _ACTION_SIZE = 17, 6
_RATE_GOAL = 200  # MB a second.
_RESIDENT_GOAL = 130  # Bytes a transition: 1.3 GB for ten million.


def main() -> None:
  """Runs both sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=['ours', 'numpy'])
  parser.add_argument('--directory', type=Path, help='the log, for a side')
  parser.add_argument(
    '--episodes', type=int, default=10_000,
    help='episodes of 1000 steps (default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.side == 'ours':
    common.print_json(run_ours(options.directory))
  elif options.side == 'numpy':
    common.print_json(run_numpy(options.directory))
  else:
    with tempfile.TemporaryDirectory(prefix='understudy-loading-') as directory:
      compare(Path(directory), options.episodes)


def compare(directory: Path, episodes: int) -> None:
  """Writes the log, runs both sides and reports."""
  write(directory, episodes)
  arguments = [f'--directory={directory}']
  ours = common.run_side('benchmarks.loading', 'ours', arguments)
  plain = common.run_side('benchmarks.loading', 'numpy', arguments)
  size = sum(path.stat().st_size for path in directory.glob('*.npz')) / 1e6
  number = ours['transitions']
  result = {
    'benchmark': 'loading',
    'transitions': number,
    'log_megabytes': round(size),
    'megabytes_per_second': round(size / ours['seconds'], 1),
    'megabytes_per_cpu_second': round(size / ours['cpu_seconds'], 1),
    'goal_megabytes_per_second': _RATE_GOAL,
    'numpy_megabytes_per_second': round(size / plain['seconds'], 1),
    'resident_bytes_per_transition': round(ours['grown_bytes'] / number, 2),
    'peak_bytes_per_transition': round(ours['peak_bytes'] / number, 2),
    'goal_bytes_per_transition': _RESIDENT_GOAL,
    'base_bytes': ours['base_bytes'],
    'resident_bytes': ours['base_bytes'] + ours['grown_bytes'],
  }
  common.report('Loading a log', _lines(result), result)


def _lines(result: dict[str, Any]) -> dict[str, str]:
  each = result['resident_bytes_per_transition']
  verdict = 'reached' if each <= _RESIDENT_GOAL else 'missed'
  return {
    'the log': f'{result["transitions"]:,} transitions, '
    f'{result["log_megabytes"]:,} MB of files',
    'MB a second': common.goal(result['megabytes_per_second'], _RATE_GOAL)
    + f', {result["megabytes_per_cpu_second"]} a second of CPU',
    'numpy.load': f'{result["numpy_megabytes_per_second"]} MB a second',
    'resident': f'{each} bytes a transition (goal: at most {_RESIDENT_GOAL}: '
    f'{verdict}), at most {result["peak_bytes_per_transition"]} amid loading',
    'the process': f'{result["resident_bytes"] / 1e6:,.0f} MB, of which '
    f'{result["base_bytes"] / 1e6:,.0f} MB are TensorFlow and other code',
  }


def write(directory: Path, episodes: int) -> None:
  """Fills a store."""
  from datasets.store import EpisodeStore
  from datasets.types import Episode, EpisodeId

  store = EpisodeStore(directory)
  rng = np.random.default_rng(0)
  for index in range(episodes):
    store.commit(
      Episode(
        EpisodeId('benchmark', 1, 0, index),
        'policy',
        rng.standard_normal((_LENGTH + 1, _OBSERVATION_SIZE), np.float32),
        rng.uniform(-1, 1, (_LENGTH, _ACTION_SIZE)).astype(np.float32),
        rng.random(_LENGTH, np.float32),
        np.ones(_LENGTH, np.float32),
      )
    )


def run_ours(directory: Path) -> dict[str, Any]:
  """Reads the log as the offline command does."""
  from agents.d4pg.config import D4PGConfig
  from launchers.training.offline import Log

  base = resident()
  started, cpu = time.perf_counter(), time.process_time()
  log = Log([directory], D4PGConfig())
  seconds = time.perf_counter() - started
  return {
    'transitions': log.memory.num_transitions,
    'seconds': seconds,
    'cpu_seconds': time.process_time() - cpu,
    'base_bytes': base,
    'grown_bytes': resident() - base,
    'peak_bytes': peak() - base,
  }


def run_numpy(directory: Path) -> dict[str, Any]:
  """Reads the arrays of all files."""
  started = time.perf_counter()
  episodes = []
  for path in sorted(directory.glob('*.npz')):
    with np.load(path) as arrays:
      episodes.append({name: arrays[name] for name in arrays.files})
  return {'seconds': time.perf_counter() - started, 'episodes': len(episodes)}


if __name__ == '__main__':
  main()
