"""Draws what a run did: python -m launchers.report runs/NAME [runs/OTHER …].

Writes runs/NAME/report/: learning_curve.png, losses.png, and index.html, a page
that holds its own pictures and can be sent to anybody. A run that still goes on
is reported as far as it is.
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
  parser = argparse.ArgumentParser(
    prog='python -m launchers.report',
    description='Draws learning curves and tables of runs to NAME/report/.',
  )
  parser.add_argument(
    'runs', nargs='+', type=Path, metavar='runs/NAME', help='a run directory'
  )
  code = 0
  for directory in parser.parse_args(arguments).runs:
    try:
      run = load_run(directory)
    except NotARunError as error:
      print(error, file=sys.stderr)
      code = 2
    else:
      print(describe(run))
      print(f'  {_write(run)}')
  return code


if __name__ == '__main__':
  sys.exit(main())
