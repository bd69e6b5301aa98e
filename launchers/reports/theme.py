"""How the report's pictures look, in light and in dark."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Theme:
  """Blue: the learner; orange: the teacher; grey: π_0; red: what got worse."""

  surface: str
  text: str
  muted: str
  grid: str
  learner: str
  teacher: str
  start: str
  worse: str


LIGHT = Theme(
  surface='#ffffff', text='#16181d', muted='#5c616b', grid='#e7e8eb',
  learner='#1f6fd6', teacher='#d9601a', start='#7a7f89',
  worse='#b3261e',
)  # fmt: skip
DARK = Theme(
  surface='#16181d', text='#eceef2', muted='#a2a8b3', grid='#2c3038',
  learner='#5ba2f5', teacher='#f08a4b', start='#8d939e',
  worse='#ff8a80',
)  # fmt: skip


def style_of(theme: Theme) -> dict[str, Any]:
  """Matplotlib's settings for a theme."""
  return {
    'figure.facecolor': theme.surface,
    'axes.facecolor': theme.surface,
    'savefig.facecolor': theme.surface,
    'text.color': theme.text,
    'axes.labelcolor': theme.muted,
    'axes.edgecolor': theme.grid,
    'axes.titlesize': 10,
    'axes.titleweight': 'bold',
    'axes.titlecolor': theme.text,
    'axes.grid': True,
    'axes.grid.axis': 'y',
    'axes.axisbelow': True,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.spines.left': False,
    'grid.color': theme.grid,
    'grid.linewidth': 0.8,
    'xtick.color': theme.muted,
    'ytick.color': theme.muted,
    'xtick.major.size': 0,
    'ytick.major.size': 0,
    'xtick.labelsize': 9,
    'ytick.labelsize': 9,
    'legend.frameon': False,
    'legend.fontsize': 9,
    'font.size': 9.5,
    'font.family': 'sans-serif',
    'mathtext.fontset': 'dejavusans',
  }
