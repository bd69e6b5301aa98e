"""Draws what runs did: python -m launchers.report runs/NAME [runs/OTHER …].

Writes runs/NAME/report/: learning_curve.png, losses.png, and index.html, a page
that holds its own pictures and can be sent to anybody. A run that still goes on
is reported as far as it is.

With a study's file, `python -m launchers.report studies/NAME.toml`, the same of
all its runs together, to runs/studies/reports/NAME/: figure.png, index.html,
table.md, results.json and curves.csv.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Optional

from datasets import files
from launchers import report_page, report_plots, report_theme
from launchers.report_data import (
  NotARunError,
  RunRecord,
  load_run,
  policy_name,
)


def write_report(run_directory: Path) -> Path:
  """Writes the report of one run.

  Args:
    run_directory: runs/NAME.

  Returns:
    The page.

  Raises:
    NotARunError: it is no run directory; says what was expected.
  """
  return _write(load_run(Path(run_directory)))


def _write(run: RunRecord) -> Path:
  directory = run.directory / 'report'
  directory.mkdir(exist_ok=True)
  themes = (report_theme.LIGHT, report_theme.DARK)
  pictures = {
    'learning_curve': [report_plots.learning_curve(run, t) for t in themes]
  }
  losses = [report_plots.losses(run, theme) for theme in themes]
  drawn = [picture for picture in losses if picture is not None]
  if drawn:
    pictures['losses'] = drawn
  for name, (light, _) in pictures.items():
    files.write_bytes(directory / f'{name}.png', light)
  page = directory / 'index.html'
  files.write_text(page, report_page.render(run, pictures))
  return page


def describe(run: RunRecord) -> str:
  """One line: the teacher, and π₀ … π_k."""
  pieces = [f'teacher {run.teacher}'] if run.teacher else []
  pieces += [f'{policy_name(number)} {final}' for number, final in run.finals]
  progress = '' if run.is_finished else ' (in progress)'
  return f'{run.name}{progress}: ' + (', '.join(pieces) or 'nothing evaluated')


def main(arguments: Optional[Sequence[str]] = None) -> int:
  """The command; returns its exit code."""
  parser = _parser()
  options = parser.parse_args(arguments)
  studies = [path for path in options.paths if path.suffix == '.toml']
  if options.seeds and not studies:
    parser.error('--seeds is for studies; name a studies/NAME.toml.')
  if options.output and (len(studies) != 1 or len(options.paths) != 1):
    parser.error('--output is for one study; name one studies/NAME.toml alone.')
  codes = [
    _report_study(path, options) if path in studies else _report_run(path)
    for path in options.paths
  ]
  return max(codes)


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    prog='python -m launchers.report',
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
    '--seeds', type=int, nargs='+', default=[],
    help="of a study: these seeds in place of the file's",
  )  # fmt: skip
  parser.add_argument(
    '--output', type=Path,
    help='of a study: where to write (RUNS/studies/reports/NAME)',
  )  # fmt: skip
  return parser


def _report_run(directory: Path) -> int:
  try:
    run = load_run(directory)
  except NotARunError as error:
    print(error, file=sys.stderr)
    return 2
  print(describe(run))
  print(f'  {_write(run)}')
  return 0


def _report_study(path: Path, options: argparse.Namespace) -> int:
  # Its libraries take two seconds to import, which a run's report need not pay.
  from launchers import study_config, study_file, study_report

  try:
    study = study_file.load(path, options.seeds)
    reports = study_config.directory(options.runs, 'reports')
    output = options.output or reports / study.name
    study_report.write(study, options.runs, output)
  except study_config.StudyError as error:
    print(error, file=sys.stderr)
    return 2
  return 0


if __name__ == '__main__':
  sys.exit(main())
