"""Lower bounds of a mean: what they promise, on draws whose mean is known."""

from collections.abc import Callable

import numpy as np
import pytest

from launchers.gates import bounds

_SEED = np.random.SeedSequence(0)
BOUNDS: dict[str, Callable[[np.ndarray], float]] = {
  'bernstein': lambda x: bounds.bernstein(x, 0, 1),
  'student': bounds.student,
  'BCa': lambda x: bounds.bootstrap(x, _SEED),
  'percentile': lambda x: bounds.bootstrap(x, _SEED, 'percentile'),
}


@pytest.mark.parametrize('name', BOUNDS)
def test_it_is_above_the_mean_as_rarely_as_it_says(name: str) -> None:
  rng = np.random.default_rng(1)
  draws = rng.beta(2, 3, (200, 40))
  above = np.mean([BOUNDS[name](values) > 0.4 for values in draws])
  assert above <= 0.10  # 0.05, and three standard errors.
  if name != 'bernstein':
    assert above > 0  # Not by being wide.


def test_bernstein_is_its_formula_and_wide() -> None:
  values = np.array([1.0, 2.0, 4.0])
  log = np.log(40)
  expected = (
    7 / 3 - np.sqrt(2 * np.var(values, ddof=1) * log / 3) - 7 * 5 * log / 6
  )
  assert bounds.bernstein(values, 0, 5) == pytest.approx(expected)
  returns = np.full(40, 500.0)
  assert bounds.bernstein(returns, 0, 1000) == pytest.approx(500 - 220.7, abs=1)


def test_what_has_no_spread_is_its_own_bound() -> None:
  values = np.full(5, 3.0)
  assert bounds.bootstrap(values, _SEED) == 3
  assert bounds.student(values) == 3


def test_what_has_no_bound_is_refused() -> None:
  for bound in BOUNDS.values():
    with pytest.raises(ValueError, match='at least 2'):
      bound(np.ones(1))
  with pytest.raises(ValueError, match='beyond their range'):
    bounds.bernstein(np.array([0.5, 2.0]), 0, 1)
