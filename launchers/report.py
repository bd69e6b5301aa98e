"""Draws what runs did: python -m launchers.report runs/NAME [runs/OTHER …].

Writes runs/NAME/report/: learning_curve.png, losses.png, and index.html, a page
that holds its own pictures and can be sent to anybody. A run that still goes on
is reported as far as it is.

Where a run's directory cannot be written to, --output names another place.

With a study's file, `python -m launchers.report studies/NAME.toml`, the same of
all its runs together, to runs/studies/reports/NAME/: figure.png, index.html,
table.md, results.json and curves.csv.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Optional

from rich.console import Console

from launchers.hosts import process


def main(arguments: Optional[Sequence[str]] = None) -> int:
  """The command; returns its exit code."""
  parser = _parser()
  options = parser.parse_args(arguments)
  studies = [path for path in options.paths if path.suffix == '.toml']
  if options.seeds and not studies:
    parser.error('--seeds is for studies; name a studies/NAME.toml.')
  if options.output and len(options.paths) != 1:
    parser.error('--output is for one report; name one run or study alone.')
  codes = [
    _report_study(path, options)
    if path in studies
    else _report_run(path, options.output)
    for path in options.paths
  ]
  return max(codes)


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    prog=process.program('launchers.report'),
    description='Draws learning curves and tables of runs to NAME/report/, and '
    'the figure, table and verdicts of studies.',
  )
  parser.add_argument(
    'paths', nargs='+', type=Path, metavar='PATH',
    help='runs/NAME, or the file of a study, studies/NAME.toml',
  )  # fmt: skip
  parser.add_argument(
    '--runs', type=Path, default=Path('runs'),
    help='of a study: the directory that holds the run directories (runs)',
  )  # fmt: skip
  parser.add_argument(
    '--cells', type=Path, default=Path('studies/results/cells'),
    help='of a study: the directory that holds the files of finished runs '
    '(studies/results/cells)',
  )  # fmt: skip
  parser.add_argument(
    '--seeds', type=int, nargs='+', default=[],
    help="of a study: these seeds in place of the file's",
  )  # fmt: skip
  parser.add_argument(
    '--output', type=Path,
    help='where to write the report of one run or study (NAME/report; of a '
    'study RUNS/studies/reports/NAME)',
  )  # fmt: skip
  return parser


def _report_run(directory: Path, output: Optional[Path]) -> int:
  # pandas and Matplotlib, which --help does without.
  from launchers.reports import report
  from launchers.reports.loading import NotARunError, load_run
  from launchers.runs import saved
  from launchers.runs.run_directory import RunDirectory

  try:
    run = load_run(directory)
  except NotARunError as error:
    print(error, file=sys.stderr)
    return 2
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


def _report_study(path: Path, options: argparse.Namespace) -> int:
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
    print(error, file=sys.stderr)
    return 2
  except OSError as error:
    return _refuse_place(output, error)
  return 0


def _refuse_place(place: Path, error: OSError) -> int:
  print(
    f'The report cannot be written to {place}: {error}. Name another place '
    'with --output.',
    file=sys.stderr,
  )
  return 2


if __name__ == '__main__':
  sys.exit(main())
