"""The report's pictures: learning curves and losses, for light and dark."""

import io
from typing import Optional

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import EngFormatter, MaxNLocator
import numpy as np
import pandas as pd

from launchers.reports import policies
from launchers.reports.data import RunRecord
from launchers.reports.theme import LIGHT, Theme, style_of

_FEW_POINTS = 60  # Up to here each evaluation is drawn as a point.
DPI = 160

_PHASES = {
  'clone': 'behaviour cloning',
  'pretrain': 'critic pre-training',
  'learn': 'learning',
}


def learning_curve(run: RunRecord, theme: Theme = LIGHT) -> bytes:
  """Draws the return against the learner's steps, as a PNG."""
  with rc_context(style_of(theme)):
    figure = Figure(figsize=(9.6, 5.0), layout='constrained')
    axes = figure.add_subplot()
    _title(figure, run)
    _draw_boundaries(axes, run, theme)
    _draw_levels(axes, run, theme)
    _draw_intervals(axes, run.intervals(), theme)
    _draw_finals(axes, run, theme)
    axes.set_xlabel('learner steps')
    axes.set_ylabel('return of an episode')
    thousands(axes)
    _limit(axes, run)
    if axes.get_legend_handles_labels()[0]:
      axes.legend(
        loc='lower left', bbox_to_anchor=(0, 1.05), ncols=5, borderaxespad=0
      )
    else:
      training = run.training
      reason = f': {training.unevaluated}' if training else ' yet'
      say(axes, f'No evaluation{reason}.', theme)
    return png(figure)


def losses(run: RunRecord, theme: Theme = LIGHT) -> Optional[bytes]:
  """Draws every logged metric over its phase, as a PNG; None without any."""
  series = _series(run)
  if not series:
    return None
  columns = min(3, len(series))
  rows = -(-len(series) // columns)
  with rc_context(style_of(theme)):
    layout = ConstrainedLayoutEngine(hspace=0.08, wspace=0.04)
    figure = Figure(figsize=(9.6, 2.3 * rows + 0.2), layout=layout)
    _title(figure, run)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(series) :]:
      axes.set_axis_off()
    for axes, (phase, metric, values) in zip(grid.flat, series, strict=False):
      if phase == 'learn':
        _draw_boundaries(axes, run, theme, labels=False)
      _draw_series(axes, values['step'], values[metric], theme)
      axes.set_title(metric.replace('_', ' '), loc='left')
      # Not in the title's line, where a long metric's would run into it.
      axes.set_xlabel(f'updates of {_PHASES[phase]}', size=8.5)
      axes.yaxis.set_major_locator(MaxNLocator(4))
      axes.xaxis.set_major_locator(MaxNLocator(5))
      thousands(axes)
    return png(figure)


def _series(run: RunRecord) -> list[tuple[str, str, pd.DataFrame]]:
  """(phase, metric, step and value) of all that was logged, in order."""
  found = []
  for phase in _PHASES:
    frames = [cycle.phase(phase) for cycle in run.cycles]
    frames = [frame for frame in frames if 'step' in frame]
    if not frames:
      continue
    rows = pd.concat(frames, ignore_index=True).sort_values(
      'step', kind='stable'
    )
    for metric in rows.columns.drop('step'):
      values = rows[['step', metric]].dropna()
      values = values[np.isfinite(values[metric])]
      if len(values) > 1:
        found.append((phase, str(metric), values))
  return found


def _draw_boundaries(
  axes: Axes, run: RunRecord, theme: Theme, labels: bool = True
) -> None:
  """Thin vertical lines between the cycles, their names above."""
  if not run.learner_steps or run.training is not None:
    return
  for cycle in range(run.num_cycles + 1):
    axes.axvline(run.boundary(cycle), color=theme.grid, lw=1.0, zorder=0)
  for cycle in range(1, run.num_cycles + 1):
    if labels and run.num_cycles <= 12:
      axes.annotate(
        f'cycle {cycle}',
        ((run.boundary(cycle - 1) + run.boundary(cycle)) / 2, 1.0),
        xycoords=('data', 'axes fraction'),
        xytext=(0, 4),
        textcoords='offset points',
        ha='center',
        size=8.5,
        color=theme.muted,
      )


def _draw_levels(axes: Axes, run: RunRecord, theme: Theme) -> None:
  """The teacher's return with a band of one deviation, and that of π_0."""
  if run.teacher is not None:
    mean, std = run.teacher.mean, run.teacher.std
    axes.axhspan(mean - std, mean + std, color=theme.teacher, alpha=0.13, lw=0)
    axes.axhline(
      mean,
      color=theme.teacher,
      ls=(0, (5, 3)),
      lw=1.6,
      label=f'teacher  {mean:.0f}',
    )
  start = dict(run.finals).get(0)
  if start is not None:
    axes.axhline(
      start.mean,
      color=theme.start,
      ls=(0, (1, 2)),
      lw=1.6,
      label=f'$\\pi_0$, cloned  {start.mean:.0f}',
    )


def _draw_intervals(axes: Axes, rows: pd.DataFrame, theme: Theme) -> None:
  """The evaluations during learning; many of them with a running mean."""
  if len(rows) > _FEW_POINTS:
    window = _draw_series(axes, rows['step'], rows['return_mean'], theme)
    axes.lines[-1].set_label(f'while learning, mean of {window}')
  elif len(rows):
    axes.plot(
      rows['step'], rows['return_mean'], color=theme.learner, lw=1.4,
      marker='.', ms=5, label='while learning',
    )  # fmt: skip


def _draw_series(axes: Axes, x: pd.Series, y: pd.Series, theme: Theme) -> int:
  """A line; of many points a faint one, and their running mean.

  Returns:
    How many points a mean is of.
  """
  if len(x) <= _FEW_POINTS:
    axes.plot(x, y, color=theme.learner, lw=1.4)
    return 1
  window = max(len(x) // 50, 5)
  smooth = y.rolling(window, center=True, min_periods=1).mean()
  axes.plot(x, y, color=theme.learner, lw=0.7, alpha=0.3)
  axes.plot(x, smooth, color=theme.learner, lw=1.6)
  return window


def _draw_finals(axes: Axes, run: RunRecord, theme: Theme) -> None:
  """π_k: mean and deviation at the end of each cycle."""
  finals = run.finals
  if not finals:
    return
  axes.errorbar(
    [run.boundary(number) for number, _ in finals],
    [final.mean for _, final in finals],
    yerr=[final.std for _, final in finals],
    fmt='o', ms=7.5, mfc=theme.text, mec=theme.surface, mew=1.5,
    ecolor=theme.text, elinewidth=1.3, capsize=3, zorder=5, clip_on=False,
    label='$\\pi_k$, ±1 std',
  )  # fmt: skip
  worse = policies.setbacks(run)
  axes.plot(
    [run.boundary(number) for number in worse],
    [dict(finals)[number].mean for number in worse],
    'o', ms=7.5, mfc=theme.worse, mec=theme.surface, mew=1.5, zorder=6,
    clip_on=False, label='got worse' if worse else None,
  )  # fmt: skip
  for number, final in finals if len(finals) <= 12 else []:
    axes.annotate(
      f'{final.mean:.0f}',
      (run.boundary(number), final.mean - final.std),
      xytext=(0, -6),
      textcoords='offset points',
      ha='center',
      va='top',
      weight='bold',
      color=theme.worse if number in worse else theme.text,
      bbox={'boxstyle': 'round,pad=0.1', 'fc': theme.surface, 'ec': 'none'},
      zorder=4,
    )


def _limit(axes: Axes, run: RunRecord) -> None:
  """Shows all cycles, also those to come, and returns from 0 on."""
  if run.learner_steps:
    margin = 0.02 * run.learner_steps
    axes.set_xlim(-margin, run.learner_steps + margin)
  low, high = axes.get_ylim()
  near_zero = low < 0.5 * high or not run.finals
  if _lowest(run) >= 0 and near_zero:
    low = 0.0
  axes.set_ylim(low, high)


def _lowest(run: RunRecord) -> float:
  values = [final.mean for _, final in run.finals]
  values += list(run.intervals()['return_mean'])
  values += [run.teacher.mean] if run.teacher else []
  return float(min(values, default=0.0))


def _title(figure: Figure, run: RunRecord) -> None:
  progress = '' if run.is_finished else ' (in progress)'
  figure.suptitle(
    f'{run.name}{progress}', x=0.01, ha='left', weight='bold', size=11
  )


def thousands(axes: Axes) -> None:
  """Labels steps as 10k rather than 10000."""
  axes.xaxis.set_major_formatter(EngFormatter(sep=''))


def say(axes: Axes, message: str, theme: Theme) -> None:
  """Writes a line where there is nothing to draw."""
  axes.text(
    0.5, 0.5, message, transform=axes.transAxes, ha='center', va='center',
    color=theme.muted,
  )  # fmt: skip


def png(figure: Figure) -> bytes:
  """The file of a figure."""
  buffer = io.BytesIO()
  figure.savefig(buffer, format='png', dpi=DPI)
  return buffer.getvalue()
