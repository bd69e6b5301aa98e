"""The figure of a study: returns against learner steps, a colour a method."""

from collections.abc import Sequence
import math
from typing import NamedTuple

from matplotlib import colors, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
import numpy as np
import pandas as pd

from launchers.reports import plots as report_plots
from launchers.reports.theme import LIGHT, Theme, style_of
from launchers.studies.config import METHODS, Study
from launchers.studies.outcomes import Outcomes
from launchers.studies.statistics import complete_seeds, stratified_mean

CAPTION = (
  'Evaluations without noise while learning, over the return of the expert of '
  'the task. Lines: mean over tasks and seeds; bands: 95 % bootstrap interval '
  'of the mean, seeds resampled within each task. Circle: π₀, the cloned '
  'policy. Vertical lines: cycle boundaries. Dashed: the teacher. The large '
  'panels use the seeds that are finished for every task, the small ones all.'
)

CAPTION_OF_LOGS = (
  'Evaluations without noise while learning. Lines: mean over tasks and '
  'seeds; bands: 95 % bootstrap interval of the mean, seeds resampled within '
  'each task. METHOD:prior, broken: the prior beside the policy of METHOD. '
  'Dashed: the mean return of the log. The large panels use the seeds that are '
  'finished for every task, the small ones all.'
)

# A hue a family (Okabe and Ito, distinct to colour-blind readers); of its two
# rates of decay the fast one is nearer to the text's colour, and broken.
_HUES = {
  'bc_fixed': '#d55e00', 'bc_decay': '#0072b2', 'between': '#56b4e9',
  'teacher_action': '#009e73', 'q_filter': '#e69f00', 'teacher_grad': '#cc79a7',
}  # fmt: skip
_FURTHER = ('#8c564b', '#b8b000', '#7a5cc4', '#3a3f9e')
_RESAMPLES = 1_000  # Enough for a band that is looked at.
_HEIGHT = 3.7  # Inches of a row of panels.
_TEACHER: tuple[float, Sequence[float]] = (0, (5, 3))


class Line(NamedTuple):
  """How a method is drawn, in Matplotlib's words."""

  color: str
  linestyle: tuple[float, Sequence[float]]


_SOLID: tuple[float, Sequence[float]] = (0, ())
_BROKEN: tuple[float, Sequence[float]] = (0, (4.5, 1.2))


def figure(outcomes: Outcomes, theme: Theme = LIGHT) -> bytes:
  """Draws the finished runs, a row of panels a tier and number of cycles."""
  points = _normalised(outcomes)
  study = outcomes.study
  groups = list(dict.fromkeys((c.tier, c.cycles) for c in study.columns))
  with rc_context(style_of(theme)):
    height = _HEIGHT * len(groups) + 0.9
    whole = Figure(figsize=(11.5, height), layout='constrained')
    methods = list(dict.fromkeys(c.method for c in study.columns))
    styles = {m: style(study, m, theme) for m in methods}
    rows = np.atleast_1d(whole.subfigures(len(groups), 1))
    for row, (tier, cycles) in zip(rows, groups, strict=True):
      chosen = (points['tier'] == tier) & (points['cycles'] == cycles)
      _draw_group(row, outcomes, points[chosen], (tier, cycles), styles, theme)
    count = f'{outcomes.finished_runs} of {len(study.cells)} runs'
    _legend(whole, outcomes, f'{study.title} ({count})', styles, theme)
    return report_plots.png(whole)


def style(study: Study, method: str, theme: Theme) -> Line:
  """The line of a method, the same in every study.

  Methods that a study defines itself take further colours, in their order.
  """
  if method == 'none':
    return Line(theme.muted, _SOLID)
  if study.is_of_logs:
    return _style_of_log(study, method)
  family = method.removesuffix('_r1').removesuffix('_r5')
  if method in METHODS:
    if method.endswith('_r5'):
      return Line(_mix(_HUES[family], theme.text), _BROKEN)
    return Line(_HUES[family], _SOLID)
  own = sorted({c.method for c in study.columns} - METHODS.keys())
  number = own.index(method)
  line = _BROKEN if number >= len(_FURTHER) else _SOLID
  return Line(_FURTHER[number % len(_FURTHER)], line)


def _style_of_log(study: Study, method: str) -> Line:
  """A hue a method, whose prior is broken."""
  policy, _, part = method.partition(':')
  own = list(dict.fromkeys(c.run.method for c in study.columns))
  hues = (*_HUES.values(), *_FURTHER)
  return Line(hues[own.index(policy) % len(hues)], _BROKEN if part else _SOLID)


def _mix(color: str, other: str) -> str:
  both = np.array([colors.to_rgb(color), colors.to_rgb(other)])
  return colors.to_hex(np.array([0.55, 0.45]) @ both)


def _normalised(outcomes: Outcomes) -> pd.DataFrame:
  points = outcomes.points()
  points['score'] = points['return'] / points['task'].map(outcomes.experts)
  return points


def _draw_group(
  row: SubFigure,
  outcomes: Outcomes,
  points: pd.DataFrame,
  group: tuple[str, int],
  styles: dict[str, Line],
  theme: Theme,
) -> None:
  tier, cycles = group
  study = outcomes.study
  tasks = [c.task for c in study.columns if (c.tier, c.cycles) == group]
  tasks = list(dict.fromkeys(tasks))
  # Of one task the small panel would be the large one again.
  if len(tasks) > 1:
    left, right = row.subfigures(1, 2, width_ratios=(1.35, 1))
  else:
    left, right = row.subfigures(1, 1), None
  large = left.subplots()
  over = f'mean of {len(tasks)} tasks' if len(tasks) > 1 else tasks[0]
  what = f'{tier} teacher, {cycles} cycles'
  if study.is_of_logs:
    what = f'log {tier}'
  large.set_title(f'{what}: {over}', loc='left')
  scores = outcomes.scores()
  complete = {
    method: complete_seeds(study, scores, tier, cycles, method)[1]
    for method in styles
  }
  whole = [
    points[(points['method'] == method) & points['seed'].isin(seeds)]
    for method, seeds in complete.items()
  ]
  _draw_panel(large, outcomes, pd.concat(whole), group, styles, theme)
  large.set_xlabel('learner steps')
  large.set_ylabel('return' if study.is_of_logs else 'return / expert’s return')
  if right is not None:
    _draw_tasks(right, outcomes, points, group, tasks, styles, theme)


def _draw_tasks(
  right: SubFigure,
  outcomes: Outcomes,
  points: pd.DataFrame,
  group: tuple[str, int],
  tasks: Sequence[str],
  styles: dict[str, Line],
  theme: Theme,
) -> None:
  """A small panel a task."""
  columns = math.ceil(len(tasks) / 3)
  grid = right.subplots(math.ceil(len(tasks) / columns), columns, squeeze=False)
  for axes in grid.flat[len(tasks) :]:
    axes.set_axis_off()
  for axes, task in zip(grid.flat, tasks, strict=False):
    of_task = points[points['task'] == task]
    _draw_panel(axes, outcomes, of_task, group, styles, theme)
    axes.set_title(task, loc='left', size=9)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_locator(MaxNLocator(4))


def _draw_panel(
  axes: Axes,
  outcomes: Outcomes,
  points: pd.DataFrame,
  group: tuple[str, int],
  styles: dict[str, Line],
  theme: Theme,
) -> None:
  """The methods of some points, the teacher, the cycles and the start."""
  cycles = group[1]
  if not len(points):
    report_plots.say(axes, 'No seed is finished yet.', theme)
    return
  of_runs = [
    outcomes.curves[cell.column]
    for cell in outcomes.finished
    if (cell.tier, cell.cycles) == group and cell.task in set(points['task'])
  ]
  last = max(curve.learner_steps for curve in of_runs)
  for cycle in range(cycles + 1):
    axes.axvline(
      last * cycle / cycles, color=theme.muted, alpha=0.25, lw=0.9, zorder=0
    )
  teacher = float(np.mean([c.teacher / c.expert for c in of_runs]))
  axes.axhline(teacher, color=theme.text, ls=_TEACHER, lw=1.2, zorder=1)
  for method, line in styles.items():
    of_method = points[points['method'] == method]
    if len(of_method):
      _draw_method(axes, of_method, line)
  starts = points[points['step'] == 0]
  if len(starts):
    axes.plot(
      0, starts['score'].mean(), 'o', ms=6.5, mfc=theme.text,
      mec=theme.surface, mew=1.2, zorder=5, clip_on=False,
    )  # fmt: skip
  axes.set_xlim(-0.01 * last, 1.01 * last)
  axes.set_ylim(min(0.0, axes.get_ylim()[0]), max(1.05, axes.get_ylim()[1]))
  report_plots.thousands(axes)


def _draw_method(axes: Axes, points: pd.DataFrame, line: Line) -> None:
  steps, strata = _strata(points)
  mean, low, high = stratified_mean(strata, _RESAMPLES)
  axes.plot(steps, mean, lw=1.7, zorder=3, **line._asdict())
  axes.fill_between(steps, low, high, color=line.color, alpha=0.13, lw=0)


def _strata(
  points: pd.DataFrame,
) -> tuple[np.ndarray, Sequence[tuple[np.ndarray, np.ndarray]]]:
  """The common steps; a task's seeds are the units of its stratum."""
  wide = points.pivot(index=['task', 'seed'], columns='step', values='score')
  wide = wide.dropna(axis='columns')
  strata = [
    (rows.to_numpy(float), np.ones(len(rows)))
    for _, rows in wide.groupby(level='task')
  ]
  return wide.columns.to_numpy(float), strata


def _legend(
  whole: Figure,
  outcomes: Outcomes,
  title: str,
  styles: dict[str, Line],
  theme: Theme,
) -> None:
  axes = whole.subfigs[0].subfigs[0].axes[0]
  lines = [
    axes.plot([], [], lw=2.2, label=method, **line._asdict())[0]
    for method, line in styles.items()
  ]
  is_of_logs = outcomes.study.is_of_logs
  teacher = 'mean of the log' if is_of_logs else 'teacher'
  lines += axes.plot(
    [], [], color=theme.text, ls=_TEACHER, lw=1.2, label=teacher
  )
  if not is_of_logs:
    lines += axes.plot(
      [], [], 'o', ms=6.5, mfc=theme.text, mec=theme.surface,
      label='π₀, cloned',
    )  # fmt: skip
  legend = whole.legend(
    handles=lines, loc='outside upper left', ncols=min(len(lines), 7),
    title=title, title_fontproperties={'weight': 'bold', 'size': 11},
  )  # fmt: skip
  legend.set_alignment('left')
