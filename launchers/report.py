"""Draws what runs did: python -m launchers.report runs/NAME [runs/OTHER …].

Writes runs/NAME/report/: learning_curve.png, losses.png, and index.html, a page
that holds its own pictures and can be sent to anybody. A run that still goes on
is reported as far as it is.

Where a run's directory cannot be written to, --output names another place.

With a study's file, `python -m launchers.report studies/NAME.toml`, the same of
all its runs together, to runs/studies/reports/NAME/: figure.png, index.html,
table.md, results.json and curves.csv.
"""

from collections.abc import Sequence
import dataclasses
from pathlib import Path
import sys
from typing import Annotated, Optional

from rich.console import Console
import tyro

from datasets import bounds
from launchers import command_line
from launchers.studies.config import CELLS

_REFUSED = 2  # An exit code.
# Of several, tyro would say that there are none by default.
_Some = Annotated[
  tuple[Path, ...], tyro.conf.arg(help_behavior_hint='(required)')
]


@dataclasses.dataclass(frozen=True)
class ReportOptions:
  """Draws learning curves and tables of runs to NAME/report/.

  Of studies, the figure, the table and the verdicts.
  """

  paths: tyro.conf.Positional[_Some]
  """runs/NAME, or the file of a study, studies/NAME.toml; any number of
  them."""
  runs: Path = Path('runs')
  """Of a study: the directory that holds the run directories."""
  cells: Path = CELLS
  """Of a study: the directory that holds the files of finished runs."""
  seeds: tuple[int, ...] = ()
  """Of a study: these seeds in place of the file's."""
  output: Optional[Path] = None
  """Where to write the report of one run or study; None: NAME/report, and of a
  study RUNS/studies/reports/NAME."""

  def __post_init__(self) -> None:
    """Refuses what does not fit together."""
    bounds.check(self, seeds=bounds.SEED)
    if not self.paths:
      raise ValueError('paths is empty; name a run or the file of a study.')
    if self.seeds and not any(map(_is_study, self.paths)):
      raise ValueError('seeds is for studies; name a studies/NAME.toml.')
    if self.output and len(self.paths) != 1:
      raise ValueError('output is for one report; name one run or study alone.')


def main(arguments: Optional[Sequence[str]] = None) -> int:
  """The command; returns its exit code."""
  try:
    options = command_line.parse(ReportOptions, 'launchers.report', arguments)
  except ValueError as error:
    return _refuse(str(error))
  codes = [
    _report_study(path, options)
    if _is_study(path)
    else _report_run(path, options.output)
    for path in options.paths
  ]
  return max(codes)


def _is_study(path: Path) -> bool:
  return path.suffix == '.toml'


def _report_run(directory: Path, output: Optional[Path]) -> int:
  # pandas and Matplotlib, which --help does without.
  from launchers.reports import report
  from launchers.reports.loading import NotARunError, load_run
  from launchers.runs import saved
  from launchers.runs.run_directory import RunDirectory

  try:
    run = load_run(directory)
  except NotARunError as error:
    return _refuse(str(error))
  print(report.describe(run))
  try:
    page = report.write(run, output)
  except OSError as error:
    return _refuse_place(output or report.directory_of(run), error)
  print(f'  {page}')
  report.say(run, Console())
  notice = saved.set_aside(RunDirectory(directory))
  if notice:
    print(notice)
  return 0


def _report_study(path: Path, options: ReportOptions) -> int:
  # Its libraries take two seconds to import, which a run's report need not pay.
  from launchers.studies import config as study_config
  from launchers.studies import file as study_file
  from launchers.studies import report as study_report
  from launchers.studies.archive import Archive

  try:
    study = study_file.load(path, options.seeds)
    reports = study_config.directory(options.runs, 'reports')
    output = options.output or reports / study.name
    study_report.write(study, Archive(options.runs, options.cells), output)
  except study_config.StudyError as error:
    return _refuse(str(error))
  except OSError as error:
    return _refuse_place(output, error)
  return 0


def _refuse_place(place: Path, error: OSError) -> int:
  why = error.strerror or error
  return _refuse(
    f'The report cannot be written to {place}: {why}. Name another place with '
    '--output.'
  )


def _refuse(reason: str) -> int:
  console = Console(stderr=True)
  console.print('[bold red]Refused:[/]', end=' ')
  console.print(reason, markup=False, highlight=False, soft_wrap=True)
  return _REFUSED


if __name__ == '__main__':
  sys.exit(main())
