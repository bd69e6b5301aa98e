"""How fast a table of logs is taken into a run: python -m benchmarks.ingest.

A CSV of episodes of cheetah-run's sizes (1000 steps of 17 observed values and
6 actions) is written to a temporary directory. Then two sides read it, each in
a process of its own, from a file that the system caches:

- ours: what `launchers.ingest` does: every number is checked against its
  bounds, and every episode is durable, under a digest, in the run's inbox.
- pandas: `read_csv` in pieces of as many rows, which are dropped.

How much the process of ours ever grew says whether the file was streamed.
"""

import argparse
import json
from pathlib import Path
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks import common
from benchmarks.resident import peak, resident

_LENGTH = 1_000  # Steps of an episode.
_WIDTHS = {'position': 8, 'velocity': 9, 'torque': 6}
_EPISODES = 2_300  # A CSV of 1 GB.


def main() -> None:
  """Runs both sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=['ours', 'pandas'])
  parser.add_argument('--directory', type=Path, help='the log, for a side')
  parser.add_argument(
    '--episodes', type=int, default=_EPISODES,
    help='episodes of 1000 steps (default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.side == 'ours':
    common.print_json(run_ours(options.directory, options.episodes))
  elif options.side == 'pandas':
    common.print_json(run_pandas(options.directory))
  else:
    with tempfile.TemporaryDirectory(prefix='understudy-ingest-') as directory:
      compare(Path(directory), options.episodes)


def compare(directory: Path, episodes: int) -> None:
  """Writes the log, runs both sides and reports."""
  write(directory, episodes)
  size = (directory / 'log.csv').stat().st_size / 1e6
  arguments = [f'--directory={directory}', f'--episodes={episodes}']
  ours = common.run_side('benchmarks.ingest', 'ours', arguments)
  plain = common.run_side('benchmarks.ingest', 'pandas', arguments)
  result = {
    'benchmark': 'ingest',
    'log_megabytes': round(size),
    'episodes': ours['taken'],
    'megabytes_per_second': round(size / ours['seconds'], 1),
    'transitions_per_second': round(ours['taken'] * _LENGTH / ours['seconds']),
    'pandas_megabytes_per_second': round(size / plain['seconds'], 1),
    'ratio': round(plain['seconds'] / ours['seconds'], 2),
    'grown_megabytes': round(ours['peak_bytes'] / 1e6),
  }
  lines = {
    'the log': f'{result["log_megabytes"]:,} MB, {ours["taken"]:,} episodes',
    'ingest': f'{result["megabytes_per_second"]} MB a second',
    'pandas alone': f'{result["pandas_megabytes_per_second"]} MB a second',
    'memory': f'the process grew by {result["grown_megabytes"]} MB at most',
  }
  common.report('Ingesting a log', lines, result)


def write(directory: Path, episodes: int) -> None:
  """A log, its description, and a run that waits for it."""
  fields = [
    f"[[{kind}]]\nname = '{name}'\nsize = {_WIDTHS[name]}\nlow = -9\nhigh = 9\n"
    for kind, name in (
      ('observations', 'position'), ('observations', 'velocity'),
      ('actions', 'torque'),
    )
  ]  # fmt: skip
  text = f"name = 'cheetah'\nepisode_steps = {_LENGTH}\n{''.join(fields)}"
  run = directory / 'run'
  run.mkdir()
  (run / 'system.toml').write_text(f"{text}[reward]\ncolumn = 'reward'\n")
  config = {
    'task': 'cheetah.toml', 'cycles': 1, 'episode_steps': _LENGTH,
    'actor_steps': _LENGTH, 'demonstrations': {'episodes': episodes},
  }  # fmt: skip
  (run / 'config.json').write_text(json.dumps(config))
  names = [f'{name}_{i}' for name, n in _WIDTHS.items() for i in range(n)]
  random = np.random.default_rng(0)
  with (directory / 'log.csv').open('w') as file:
    file.write(','.join(['episode', *names, 'reward']) + '\n')
    for episode in range(episodes):
      values = random.uniform(-1, 1, (_LENGTH, len(names) + 1))
      file.writelines(
        f'{episode},{",".join(map(repr, row))}\n' for row in values.tolist()
      )


def run_ours(directory: Path, episodes: int) -> dict[str, Any]:
  """Takes the log in as the command does."""
  from launchers.environments import described
  from launchers.logs import columns, door, intake, meaning
  from launchers.runs.run_directory import RunDirectory

  run = RunDirectory(directory / 'run')
  standing = intake.open_cycle(run, 0)
  assert standing.quota == episodes
  system = described.load(run.system)
  of_log = columns.Columns()
  entrance = door.Door(
    intake.Intake(run, system, standing), meaning.Meaning(system, of_log),
    of_log.episode, '', print,
  )  # fmt: skip
  base, started = resident(), time.perf_counter()
  entrance.take(directory / 'log.csv')
  return {
    **entrance.outcome._asdict(),
    'seconds': time.perf_counter() - started,
    'peak_bytes': peak() - base,
  }


def run_pandas(directory: Path) -> dict[str, Any]:
  """Reads the pieces, and does nothing with them."""
  import pandas as pd

  started = time.perf_counter()
  with pd.read_csv(
    directory / 'log.csv', chunksize=50_000, float_precision='round_trip'
  ) as pieces:
    rows = sum(len(piece) for piece in pieces)
  return {'seconds': time.perf_counter() - started, 'rows': rows}


if __name__ == '__main__':
  main()
