"""One run of a study, in a process of its own; `launchers.study` starts it."""

import dataclasses
from pathlib import Path
import signal
import sys

from rich.console import Console
import tyro

from launchers import command_line
from launchers.hosts import isolation, process
from launchers.runs.launch_config import LaunchConfig
from launchers.runs.run_directory import LIVE, RunIsLiveError
from launchers.studies import config as study_config
from launchers.studies import file as study_file


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
  options = command_line.parse(CellOptions, 'launchers.study_cell')
  process.prepare_environment()
  isolation.enter('launchers.study_cell', False, console)
  # Whatever happens to the study, its runs stop as if they had been asked to.
  process.end_with_parent(options.parent, signal.SIGTERM)
  try:
    return _run(options, console)
  except RunIsLiveError as error:
    console.print(str(error), soft_wrap=True, markup=False, highlight=False)
    return LIVE


def _run(options: CellOptions, console: Console) -> int:
  from launchers import local

  study = study_file.load(options.study, options.seeds)
  starts = study_config.directory(options.runs, 'starts')
  cells = study_config.directory(options.runs, 'cells')
  if options.name in study.starts:
    config = study.starts[options.name]
    launch = LaunchConfig(runs=starts, launch_type='threads', report=False)
    return local.run(config, launch, console)
  cell = next(cell for cell in study.cells if cell.name == options.name)
  launch = LaunchConfig(
    runs=cells,
    start=starts / cell.start.run_name,
    launch_type='threads',
    report=False,
  )
  return local.run(cell.config, launch, console)


if __name__ == '__main__':
  sys.exit(main())
