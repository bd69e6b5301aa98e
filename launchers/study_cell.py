"""One run of a study, in a process of its own; `launchers.study` starts it.

Whoever makes a log is called with the directory of its episodes, the task, the
seed and the arguments of its address:

  def make(directory: Path, task: str, seed: int, episodes: int) -> None:
    store = EpisodeStore(directory)
    ...

It may find what a killed call of it has left there, and goes on with that.
"""

import dataclasses
from pathlib import Path
import signal
import sys

from rich.console import Console
import tyro

from launchers import command_line, options
from launchers.hosts import isolation, process
from launchers.runs import schemas
from launchers.runs.launch_config import LaunchConfig
from launchers.runs.run_directory import LIVE, RunDirectory, RunIsLiveError
from launchers.studies import config as study_config
from launchers.studies import file as study_file
from launchers.studies import stages
from launchers.studies.offline import LogConfig, OfflineCell


@dataclasses.dataclass(frozen=True)
class CellOptions:
  """Runs one cell of a study, or one shared start."""

  study: tyro.conf.Positional[Path]
  """The study's file."""
  name: tyro.conf.Positional[str]
  """The run's name."""
  runs: Path
  """The directory that holds the run directories."""
  parent: int
  """The process whose end is the end of this one, too."""
  seeds: tuple[int, ...] = ()
  """In place of the file's."""


def main() -> int:
  """The command; returns its exit code, as launchers.growing_batch does."""
  console = Console(stderr=True, width=110)
  cell = command_line.parse(CellOptions, 'launchers.study_cell')
  process.prepare_environment()
  isolation.enter('launchers.study_cell', False, console)
  # Whatever happens to the study, its runs stop as if they had been asked to.
  process.end_with_parent(cell.parent, signal.SIGTERM)
  try:
    return _run(cell, console)
  except RunIsLiveError as error:
    console.print(str(error), soft_wrap=True, markup=False, highlight=False)
    return LIVE


def _run(chosen: CellOptions, console: Console) -> int:
  from launchers import local

  study = study_file.load(chosen.study, chosen.seeds)
  starts = study_config.directory(chosen.runs, 'starts')
  cells = study_config.directory(chosen.runs, 'cells')
  if chosen.name in study.starts:
    config = study.starts[chosen.name]
    if isinstance(config, LogConfig):
      learners = [c for c in study.cells if isinstance(c, OfflineCell)]
      learner = next(cell for cell in learners if cell.start == config)
      return _make(learner, starts / chosen.name, console)
    launch = LaunchConfig(runs=starts, launch_type='threads', report=False)
    return local.run(config, launch, console)
  cell = next(cell for cell in study.cells if cell.name == chosen.name)
  if isinstance(cell, OfflineCell):
    return _train(cell, starts / cell.start.run_name, cells, console)
  launch = LaunchConfig(
    runs=cells,
    start=starts / cell.start.run_name,
    launch_type='threads',
    report=False,
  )
  return local.run(cell.config, launch, console)


def _make(learner: OfflineCell, root: Path, console: Console) -> int:
  """Makes the log of a cell."""
  from launchers.acting import places
  from launchers.studies import logs

  def work() -> None:
    task = places.describe(learner.task, learner.config.action_bound).task
    with options.inhabited(RunDirectory(root)):
      logs.make(learner.start, task, root)

  return options.guard(console, work)


def _train(
  cell: OfflineCell, start: Path, cells: Path, console: Console
) -> int:
  """Trains from the log that is made, and notes what the study is to know."""
  from launchers import offline

  config = dataclasses.replace(
    cell.config,
    data=cell.start.directories(start),
    first_episodes=cell.start.first_episodes,
    runs=cells,
  )
  directory = RunDirectory(cells / cell.name)

  def work() -> None:
    found = offline.train(config, console)
    began = schemas.read(directory.config)
    record = {
      'log': schemas.read(start / stages.LOG),
      'policy_digest': found['digest'],
      'provenance': began['provenance'],
    }
    directory.write_json(directory.root / stages.FOUND, record)

  return options.guard(console, work)


if __name__ == '__main__':
  sys.exit(main())
