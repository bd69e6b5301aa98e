"""How low a mean may be, by what was drawn: one-sided bounds.

Maurer and Pontil (2009), Thomas, Theocharous and Ghavamzadeh (2015). Bernstein
holds for whatever is bounded, and is wide: of 40 returns in [0, 1000] its last
term alone takes 220. The bootstrap is what guides where harm is not costly.
"""

from typing import Literal

import numpy as np
from scipy import stats

DELTA = 0.05
"""How often a lower bound may be above the mean."""

_DRAWS = 2_000


def bernstein(
  values: np.ndarray, low: float, high: float, delta: float = DELTA
) -> float:
  """The empirical Bernstein bound.

  Args:
    values: [n], independent.
    low: what no value can be below.
    high: what no value can be above.
    delta: see `DELTA`.

  Raises:
    ValueError: there are fewer than two values, or one is out of its range.
  """
  count = _count(values)
  if np.min(values) < low or np.max(values) > high:
    raise ValueError(
      f'The values go from {np.min(values):g} to {np.max(values):g}, beyond '
      f'their range from {low:g} to {high:g}.'
    )
  log = np.log(2 / delta)
  spread = np.sqrt(2 * np.var(values, ddof=1) * log / count)
  reach = 7 * (high - low) * log / (3 * (count - 1))
  return float(np.mean(values) - spread - reach)


def student(values: np.ndarray, delta: float = DELTA) -> float:
  """Student's t: exact where the values are normal.

  Raises:
    ValueError: there are fewer than two values.
  """
  count = _count(values)
  error = np.std(values, ddof=1) / np.sqrt(count)
  return float(np.mean(values) - stats.t.ppf(1 - delta, count - 1) * error)


def bootstrap(
  values: np.ndarray,
  seed: np.random.SeedSequence,
  method: Literal['percentile', 'BCa'] = 'BCa',
  delta: float = DELTA,
) -> float:
  """The bootstrap's.

  Args:
    values: [n], independent.
    seed: of the draws.
    method: of `scipy.stats.bootstrap`.
    delta: see `DELTA`.

  Raises:
    ValueError: there are fewer than two values.
  """
  _count(values)
  if np.ptp(values) == 0:
    return float(values[0])  # BCa would divide by it.
  result = stats.bootstrap(
    (values,), np.mean, n_resamples=_DRAWS, method=method,
    confidence_level=1 - delta, alternative='greater',
    random_state=np.random.default_rng(seed),
  )  # fmt: skip
  return float(result.confidence_interval.low)


def _count(values: np.ndarray) -> int:
  if len(values) < 2:
    raise ValueError(
      f'{len(values)} value has no bound; at least 2 independent ones do.'
    )
  return len(values)
