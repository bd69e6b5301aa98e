"""Runs a study: python -m launchers.study studies/figure4-small.toml.

The same command again goes on with a study that was stopped or killed.
"""

from collections.abc import Sequence
import dataclasses
import json
import os
from pathlib import Path
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Optional

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column
import tyro

from datasets import bounds
from launchers import command_line
from launchers.display import is_live
from launchers.hosts import process, stops
from launchers.runs.config import GrowingBatchConfig
from launchers.studies import config as study_config
from launchers.studies import experts
from launchers.studies import file as study_file
from launchers.studies.offline import OfflineCell

if TYPE_CHECKING:
  from launchers.studies.archive import Archive
  from launchers.studies.runner import Runner

_TICK = 0.5  # Seconds between two looks at the runs.
_LINE_PERIOD = 30.0  # Seconds between two lines where there is no terminal.
_FAILED, _REFUSED = 1, 2  # Exit codes; a signal N gives 128 + N.


@dataclasses.dataclass(frozen=True)
class StudyOptions:
  """Runs every run of a study that is not finished, then draws its report.

  Runs that share demonstrations, cloning and critic pre-training begin with
  the same copy of them; studies that share runs share them, too. They are run
  in the order of the study's file.
  """

  study: tyro.conf.Positional[Path]
  """The study's file, studies/NAME.toml."""
  runs: Path = Path('runs')
  """The directory that holds the run directories."""
  cells: Path = study_config.CELLS
  """The directory that holds a small file of each finished run. Where a run's
  file is, it is not run again; machines that share the directory share the
  study."""
  parallel: int = os.cpu_count() or 1
  """Runs at a time."""
  seeds: tuple[int, ...] = ()
  """Seeds in place of the file's, to run the study anew."""
  only: tuple[str, ...] = ()
  """Run only the runs of these names; a star stands for anything, as in
  'finger-spin-*'."""
  discard: bool = False
  """Remove the directory of a run once its small file is written."""
  fresh: bool = False
  """Run again what sources have run that gave other results; what they gave is
  set aside. See docs/studies.md."""

  def __post_init__(self) -> None:
    """Refuses what cannot be run."""
    bounds.check(self, parallel=(1, 1_000), seeds=bounds.SEED)


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  try:
    options = command_line.parse(StudyOptions, 'launchers.study')
    process.prepare_environment()
    # pandas, which --help does without.
    from launchers.studies import measures
    from launchers.studies.archive import Archive
    from launchers.studies.runner import Runner, Schedule

    study = study_file.load(options.study, options.seeds)
    measures.check(study)
    archive = Archive(options.runs, options.cells)
    _prepare(study, options.only, archive, console)
    schedule = Schedule(
      options.study, options.seeds, options.only, options.parallel,
      options.discard, options.fresh,
    )  # fmt: skip
    runner = Runner(study, archive, schedule)
  except (ValueError, OSError) as error:
    console.print('[bold red]Refused:[/]', end=' ')
    text = command_line.describe(error)
    console.print(text, soft_wrap=True, markup=False, highlight=False)
    return _REFUSED
  stopped_by = _run(runner, study.name, console)
  if stopped_by is not None:
    console.print(
      f'Stopped by {stopped_by.name}; the runs stopped as by themselves. The '
      'same command goes on.'
    )
    return 128 + stopped_by
  from launchers.studies import report as study_report

  output = study_config.directory(options.runs, 'reports') / study.name
  try:
    study_report.write(study, archive, output)
  except OSError as error:
    console.print('[bold red]Failed:[/]', end=' ')
    line = (
      f'the report cannot be written to {output}: {error}. Every run is kept: '
      f'python -m launchers.report {shlex.quote(str(options.study))} --output '
      'names another place.'
    )
    console.print(line, soft_wrap=True, markup=False, highlight=False)
    return _FAILED
  for name, reason in runner.failed.items():
    console.print(f'[bold red]Failed:[/] {name}: {reason}', soft_wrap=True)
  return _FAILED if runner.failed else 0


def _prepare(
  study: study_config.Study,
  only: tuple[str, ...],
  archive: 'Archive',
  console: Console,
) -> None:
  """Looks at tasks and teachers, and measures the experts that nobody has.

  Raises:
    ValueError, OSError: a task or a teacher is not what its cells need, or
      there is no place for what they give.
  """
  from launchers import local
  from launchers.runs.run_directory import RunDirectory

  cells = study_config.chosen(study, only)
  ahead = [cell for cell in cells if not archive.file(cell).exists()]
  if study.is_of_logs:
    _prepare_logs(ahead)
    archive.make_directories()
    return
  for cell in {_needs(cell.config): cell for cell in ahead}.values():
    try:
      local.check(cell.config, RunDirectory(archive.root(cell)), console)
    except (ValueError, OSError) as error:
      raise study_config.StudyError(f'{cell.name}: {error}') from error
  archive.make_directories()
  for task, address in archive.experts.missing(study).items():
    console.print(
      f'Measuring the expert of {task}, by whose return its scores are '
      f'divided: {address}.', markup=False, soft_wrap=True,
    )  # fmt: skip
    config = next(c.config for c in study.cells if c.task == task)
    archive.experts.keep(study, task, _evaluate(address, config))


def _prepare_logs(cells: Sequence[study_config.Cell]) -> None:
  """Looks at the tasks in which trainings from logs are evaluated, and at logs.

  Raises:
    StudyError: one of them is not what the cells need.
  """
  from launchers.acting import places
  from launchers.studies import logs

  learners = [cell for cell in cells if isinstance(cell, OfflineCell)]
  tasks = {}
  for cell in {cell.task: cell for cell in learners}.values():
    try:
      found = places.describe(cell.task, cell.config.action_bound)
    except (ValueError, OSError) as error:
      raise study_config.StudyError(f'{cell.name}: {error}') from error
    tasks[cell.task] = found.task
  for start in {cell.start.run_name: cell.start for cell in learners}.values():
    logs.check(start, tasks[start.task])


def _needs(config: GrowingBatchConfig) -> tuple[Any, ...]:
  """What a cell's task and teachers are checked for."""
  return (
    config.task, config.action_bound, config.demonstrator, config.advisor,
    config.objective.kind,
  )  # fmt: skip


def _evaluate(address: str, config: GrowingBatchConfig) -> dict[str, Any]:
  words = ['--policy', address, '--task', config.task]
  words += ['--episodes', str(experts.EPISODES)]
  words += ['--episode-steps', str(config.episode_steps)]
  if config.action_bound is not None:
    words += ['--action-bound', str(config.action_bound)]
  done = subprocess.run(
    [sys.executable, '-m', 'launchers.evaluate', *words],
    stdout=subprocess.PIPE,
    check=False,
  )
  if done.returncode:
    raise study_config.StudyError(
      f'The expert of {config.task}, {address}, could not be measured; see '
      'above.'
    )
  return json.loads(done.stdout.splitlines()[-1])


def _run(
  runner: 'Runner', name: str, console: Console
) -> Optional[signal.Signals]:
  """Runs all; returns the signal that stopped it, if one did."""
  last_line = 0.0
  rest_of_line = Column(no_wrap=True, overflow='ellipsis')
  bar = Progress(
    TextColumn('{task.description}'),
    BarColumn(),
    MofNCompleteColumn(),
    TextColumn('{task.fields[rest]}', table_column=rest_of_line),
    console=console,
    disable=not is_live(console),
  )
  task = bar.add_task(name, total=runner.total, rest='')
  with stops.StopRequest() as stop, bar:
    while not runner.is_done:
      if stop.signal:
        runner.stop()
        break
      runner.tick()
      _tell(runner, console)
      rest = _describe(runner)
      bar.update(task, total=runner.total, completed=runner.done, rest=rest)
      if not is_live(console) and time.monotonic() - last_line > _LINE_PERIOD:
        last_line = time.monotonic()
        done = f'{runner.done}/{runner.total} runs'
        console.print(
          f'{name}: {done}, {rest}', soft_wrap=True, highlight=False
        )
      time.sleep(_TICK)
  _tell(runner, console)
  return stop.signal


def _tell(runner: 'Runner', console: Console) -> None:
  """At once, and not at the end: it is found out once."""
  while runner.told:
    console.print('[bold yellow]Differs:[/]', end=' ')
    line = runner.told.pop(0)
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _describe(runner: 'Runner') -> str:
  seconds = runner.seconds_left()
  left = 'time left: unknown yet'
  if seconds is not None:
    left = f'about {seconds / 60:.0f} min left'
  failed = f', {len(runner.failed)} failed' if runner.failed else ''
  running = ', '.join(
    f'{running.job.name} {running.job.progress:.0%}'
    for running in runner.running
  )
  others = len(runner.elsewhere)
  elsewhere = f'; {others} run by another process, waited for' if others else ''
  return f'{left}{failed}; running: {running}{elsewhere}'


if __name__ == '__main__':
  sys.exit(main())
