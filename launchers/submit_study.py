"""Runs a study as an array of Slurm's: python -m launchers.submit_study FILE.

Each job of the array is `launchers.study`, and runs one cell after another;
they share the runs' directory, whose locks say which cells others have begun.
The same command again follows what is there, or submits what has ended.
"""

from collections import Counter
from collections.abc import Callable
import dataclasses
import hashlib
from pathlib import Path
import sys
import time
from typing import Optional

from rich.console import Console
import tyro

from datasets import bounds, files
from launchers import command_line
from launchers.engines import slurm
from launchers.engines.options import Share, check_sbatch
from launchers.hosts import process, stops
from launchers.studies import config as study_config
from launchers.studies import file as study_file

_LOOK_SECONDS = 1.0
_LOOKS = 20  # In a row at which no job is there, before that is believed.
_KIND = 'cells'
_FAILED = 1  # An exit code; a signal N gives 128 + N.


@dataclasses.dataclass(frozen=True)
class Options:
  """Runs the cells of a study on the hosts of a Slurm cluster.

  The directories must be on a disk that its hosts share.
  """

  study: tyro.conf.Positional[Path]
  """The study's file, studies/NAME.toml."""
  workers: int = 2
  """Jobs, each of which runs one cell after another."""
  worker: Share = Share(2, 8)
  runs: Path = Path('runs')
  """The directory that holds the run directories."""
  cells: Path = study_config.CELLS
  """The directory that holds a small file of each finished run."""
  seeds: tuple[int, ...] = ()
  """Seeds in place of the file's, to run the study anew."""
  discard: bool = False
  """Remove the directory of a run once its small file is written."""
  sbatch: tuple[str, ...] = ()
  """More options of sbatch, without the dashes, as in
  --sbatch partition=long time=24:00:00."""
  dry_run: bool = False
  """Write and print what would be submitted, and submit nothing."""
  follow: bool = True
  """Show how the study goes on until it is done; Ctrl-C ends only that."""

  def __post_init__(self) -> None:
    """Refuses what no engine takes."""
    bounds.check(self, workers=(1, 1_000), seeds=bounds.SEED)
    check_sbatch(self.sbatch)


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)

  def tell(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)

  try:
    options = command_line.parse(Options, 'launchers.submit_study')
    process.prepare_environment()
    study = study_file.load(options.study, options.seeds)
    place = study_config.directory(options.runs, 'jobs') / study.name
    slurm.check(place, options.dry_run)
    batch = slurm.Batch(_label(study, place), place, options.sbatch)
    text = slurm.script(
      batch, _KIND, options.worker, slurm.command(_words(options)),
      options.workers,
    )  # fmt: skip
    if options.dry_run:
      files.write_text(files.make_directory(place) / f'{_KIND}.sbatch', text)
      print(text)
      tell(f'This was written to {place}; nothing was submitted.')
      return 0
    if _kept(study, options.cells) == len(study.cells):
      return _done(options, tell)
    slurm.submit(batch.label, place, {_KIND: text}, tell)
    return _follow(options, study, batch, tell) if options.follow else 0
  except (ValueError, OSError) as error:
    console.print('[bold red]Refused:[/]', end=' ')
    tell(command_line.describe(error))
    return process.REFUSED


def _label(study: study_config.Study, place: Path) -> str:
  digest = hashlib.sha256(str(place.resolve()).encode()).hexdigest()[:8]
  return f'study-{study.name[:30]}-{digest}'


def _words(options: Options) -> list[str]:
  words = [
    'launchers.study', str(options.study.resolve()), '--parallel', '1',
    '--runs', str(options.runs.resolve()),
    '--cells', str(options.cells.resolve()),
  ]  # fmt: skip
  if options.seeds:
    words += ['--seeds', *map(str, options.seeds)]
  return [*words, '--discard'] if options.discard else words


def _kept(study: study_config.Study, cells: Path) -> int:
  return sum((cells / f'{cell.name}.json').exists() for cell in study.cells)


def _follow(
  options: Options,
  study: study_config.Study,
  batch: slurm.Batch,
  tell: Callable[[str], None],
) -> int:
  """Tells what changes, until the jobs have ended; returns the exit code."""
  last, absent = '', 0
  with stops.StopRequest() as stop:
    while not stop.signal and absent < _LOOKS:
      line, is_there = _look(options, study, batch)
      if line != last:
        tell(line)
        last = line
      absent = 0 if is_there is not False else absent + 1
      if is_there is False and _kept(study, options.cells) == len(study.cells):
        return _done(options, tell)
      time.sleep(_LOOK_SECONDS)
  if stop.signal:
    tell(
      f'Stopped by {stop.signal.name}: the jobs go on. The same command '
      'follows them again; they are ended by scancel --me '
      f'--name={batch.label}-{_KIND}'
    )
    return 128 + stop.signal
  tell(
    'The jobs have ended, and the study is not done: '
    f'{batch.place}/{_KIND}-*.log say why. The same command submits them '
    'again, and they go on.'
  )
  return _FAILED


def _look(
  options: Options, study: study_config.Study, batch: slurm.Batch
) -> tuple[str, Optional[bool]]:
  """A line for a person, and whether jobs are there; None: not known."""
  progress = (
    f'{_kept(study, options.cells)} of {len(study.cells)} runs finished'
  )
  try:
    found = slurm.states(batch.label, (_KIND,))
  except slurm.UnknownError as error:
    return f'{error} The jobs may go on; {progress}', None
  counts = Counter(state.state for state in found)
  jobs = ', '.join(
    f'{count} {state}' for state, count in sorted(counts.items())
  )
  return f'jobs: {jobs or "none"}; {progress}', bool(found)


def _done(options: Options, tell: Callable[[str], None]) -> int:
  tell('The study is done. Its report, from anywhere that has the cells:')
  tell(
    f'  python -m launchers.report {options.study} --cells {options.cells} '
    f'--runs {options.runs}'
  )
  return 0


if __name__ == '__main__':
  sys.exit(main())
