"""Whether a policy stays where the data are."""

import numpy as np

from launchers.gates import support
from launchers.gates.deployed import Actions

_RNG = np.random.default_rng(0)
STATES = _RNG.uniform(-1, 1, (4_000, 2)).astype(np.float32)
MEANS = (0.5 * STATES[:, :1]).astype(np.float32)
DONE = np.clip(MEANS + 0.1 * _RNG.standard_normal(MEANS.shape), -1, 1)
ASKED = support.choose(4_000, 500, np.random.SeedSequence(1))


def test_who_did_it_stays_inside_and_the_opposite_does_not() -> None:
  near = support.Neighbours(STATES, DONE, ASKED)
  again = np.random.default_rng(2).standard_normal((500, 1))
  own = near.judge(np.clip(MEANS[ASKED] + 0.1 * again, -1, 1))
  assert own.outside < 0.05
  assert own.states == 500
  assert near.judge(-MEANS[ASKED]).outside > 0.5
  # Saturated, the way that a critic's errors drive a policy.
  assert near.judge(np.ones((500, 1))).outside > 0.8


def test_the_scale_of_an_observation_does_not_matter() -> None:
  wide = STATES * np.array([1.0, 1e4], np.float32)
  near = support.Neighbours(STATES, DONE, ASKED)
  same = support.Neighbours(wide, DONE, ASKED)
  some = np.zeros((500, 1))
  assert abs(near.judge(some).outside - same.judge(some).outside) < 0.01


def test_few_rows_and_what_never_changes() -> None:
  near = support.Neighbours(
    np.ones((2, 3), np.float32), np.array([[0.0], [1.0]]), np.arange(2)
  )
  assert near.judge(np.array([[1.0], [0.0]])).outside == 0


def test_a_choice_of_rows_is_the_seeds() -> None:
  one, two = (support.choose(100, 9, np.random.SeedSequence(3)) for _ in 'ab')
  assert np.array_equal(one, two)
  assert len(set(one.tolist())) == 9
  assert np.array_equal(
    support.choose(4, 9, np.random.SeedSequence(3)), range(4)
  )


def test_the_likelihood_is_that_of_the_mixture() -> None:
  there = Actions(
    np.zeros((5, 1), np.float32), np.full((5, 1), 0.1, np.float32)
  )
  here = Actions(np.full((5, 1), 0.5, np.float32), there.deviation)
  value = support.mixture_log_likelihood(
    np.full((5, 1), 0.5), [there, here], np.array([0.75, 0.25])
  )
  alone = np.log(1 / (0.1 * np.sqrt(2 * np.pi)))
  assert np.isclose(value, np.log(0.25) + alone, atol=1e-4)
