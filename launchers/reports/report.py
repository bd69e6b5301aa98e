"""The report of a run: its pictures and its page, in its directory."""

from pathlib import Path
from typing import Optional

from rich.console import Console

from datasets import files
from launchers.reports import page, plots, policies, theme
from launchers.reports.data import Estimate, RunRecord, policy_name
from launchers.reports.loading import load_run


def write_report(run_directory: Path) -> Path:
  """Writes the report of one run.

  Args:
    run_directory: runs/NAME.

  Returns:
    The page.

  Raises:
    NotARunError: it is no run directory; says what was expected.
  """
  return write(load_run(Path(run_directory)))


def write(run: RunRecord, output: Optional[Path] = None) -> Path:
  """Writes the report of a run that is loaded; returns the page.

  Args:
    run: of which it is.
    output: the directory to write to; None: the run's own, for reports.

  Raises:
    OSError: nothing can be written there.
  """
  directory = output or directory_of(run)
  directory.mkdir(parents=True, exist_ok=True)
  files.remove_aside(directory)
  themes = (theme.LIGHT, theme.DARK)
  pictures = {'learning_curve': [plots.learning_curve(run, t) for t in themes]}
  losses = [plots.losses(run, t) for t in themes]
  drawn = [picture for picture in losses if picture is not None]
  if drawn:
    pictures['losses'] = drawn
  for name, (light, _) in pictures.items():
    files.write_bytes(directory / f'{name}.png', light)
  path = directory / 'index.html'
  files.write_text(path, page.render(run, pictures))
  return path


def directory_of(run: RunRecord) -> Path:
  """The run's own directory for its report."""
  return run.directory / 'report'


def describe(run: RunRecord) -> str:
  """One line: the teacher, and π₀ … π_k; or how far a training is."""
  if run.training is not None:
    return f'{run.name}: {run.progress}; {_last_return(run)}'
  pieces = [f'teacher {run.teacher}'] if run.teacher else []
  pieces += [f'{policy_name(number)} {final}' for number, final in run.finals]
  progress = '' if run.is_finished else ' (in progress)'
  return f'{run.name}{progress}: ' + (', '.join(pieces) or 'nothing evaluated')


def _last_return(run: RunRecord) -> str:
  """The newest evaluation of a training, or why there is none."""
  rows = run.intervals()
  if rows.empty:
    assert run.training is not None
    return f'nothing is evaluated: {run.training.unevaluated}'
  last = rows.iloc[-1]
  estimate = Estimate(float(last['return_mean']), float(last['return_std']))
  return f'return {estimate} after {last["step"]:.0f} updates'


def say(run: RunRecord, console: Console) -> None:
  """Prints where the best and the last policy are, and steps back in red."""
  for made in policies.notable(run):
    text = f'{policy_name(made.cycle)}, {made.role}: {made.path}'
    console.print(text, highlight=False, markup=False, soft_wrap=True)
  for sentence in policies.held_back(run):
    console.print(
      sentence, style='bold yellow', highlight=False, markup=False,
      soft_wrap=not console.is_terminal,
    )  # fmt: skip
  for sentence in policies.setbacks(run).values():
    console.print(
      sentence, style='bold red', highlight=False,
      soft_wrap=not console.is_terminal,
    )  # fmt: skip
