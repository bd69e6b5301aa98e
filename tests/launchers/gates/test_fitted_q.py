"""Fitted Q evaluation, on values that are known."""

import numpy as np
import pytest

from datasets.types import Episode, EpisodeId
from launchers.gates.data import Data
from launchers.gates.deployed import Actions
from launchers.gates.fits import Fit, FitOptions
from launchers.gates.fitted_q import FittedQ
from studies import point

G = 0.9


def still(means: np.ndarray, deviation: float = 0.0) -> Actions:
  means = np.asarray(means, np.float32)
  return Actions(means, np.full_like(means, deviation))


def chain(count: int, seed: int = 0) -> list[Episode]:
  """Three states, one-hot; a step goes on and pays what state and action say.

  After the third the episode ends itself.
  """
  rng = np.random.default_rng(seed)
  episodes = []
  for i in range(count):
    actions = rng.choice([-1.0, 1.0], (3, 1)).astype(np.float32)
    observations = np.eye(4, dtype=np.float32)[:, :3]
    rewards = np.array([0.1, 0.2, 0.3], np.float32) * (1 + actions[:, 0])
    episodes.append(
      Episode(
        EpisodeId('chain', 1, 0, i), 'random', observations, actions,
        rewards, np.array([1, 1, 0], np.float32),
      )
    )  # fmt: skip
  return episodes


CHAIN_OPTIONS = FitOptions(3_000, 2, (32,), 64, 1e-2, 0.0)


def fit_of_chain(
  episodes: list[Episode], options: FitOptions = CHAIN_OPTIONS
) -> Fit:
  data = Data(episodes)
  does = [still(np.full((len(data.observations), 1), a)) for a in (1.0, -1.0)]
  first = [still(np.full((data.num_episodes, 1), a)) for a in (1.0, -1.0)]
  return FittedQ(data, does, first, options, G, seed=3).run()


def test_it_finds_the_exact_values_of_a_chain() -> None:
  """K-I5."""
  fit = fit_of_chain(chain(40))
  exact = 0.2 + G * 0.4 + G**2 * 0.6
  np.testing.assert_allclose(fit.estimates, [exact, 0.0], atol=1e-3)
  assert not fit.reasons


def test_the_order_of_the_episodes_changes_no_bit() -> None:
  """K-I7."""
  few = CHAIN_OPTIONS._replace(updates=50)
  episodes = chain(12)
  one = fit_of_chain(episodes, few)
  other = fit_of_chain(episodes[5:] + episodes[:5], few)
  assert np.array_equal(one.values, other.values)
  another = FittedQ(
    Data(episodes), [still(np.ones((48, 1)))], [still(np.ones((12, 1)))],
    few, G, seed=4,
  ).run()  # fmt: skip
  assert not np.array_equal(one.values[:1], another.values)


def test_what_has_not_settled_says_so() -> None:
  episodes = chain(12)
  data = Data(episodes)
  does = [still(np.ones((len(data.observations), 1)))]
  first = [still(np.ones((12, 1)))]
  options = FitOptions(60, 2, (8,), 16)
  fit = FittedQ(data, does, first, options, 0.99, seed=0).run()
  assert any('60 updates are fewer than the 5000' in r for r in fit.reasons)
  # Where rates are high and updates few, it still moves.
  hasty = FitOptions(10, 2, (64,), 16, learning_rate=0.1)
  fit = FittedQ(data, does, first, hasty, 0.4, seed=0).run()
  assert any('it moved by' in r for r in fit.reasons)


def test_it_stops_when_it_is_asked_to() -> None:
  data = Data(chain(3))
  does = [still(np.ones((12, 1)))]
  fit = FittedQ(data, does, [still(np.ones((3, 1)))], CHAIN_OPTIONS, G, 0)

  def stop() -> None:
    raise InterruptedError

  with pytest.raises(InterruptedError):
    fit.run(stop)


@pytest.mark.long
def test_who_acted_is_worth_what_it_earned() -> None:
  """K-I6, on the log of a point that goes for the goal."""
  episodes = point.log(200, right=1.0)
  data = Data(episodes)

  def towards(states: np.ndarray) -> Actions:
    # What the log did before it was clipped, and its noise.
    return still(5 * (point.GOAL - states), 0.3)

  first = data.observations[data.first_rows]
  options = FitOptions(6_000, 3, (64, 64), 128)
  fitted = FittedQ(
    data, [towards(data.observations)], [towards(first)], options, G, seed=0
  )
  fit = fitted.run()
  # Cut after 20 steps, where it has arrived: it would go on earning so.
  returns = data.returns(G, np.arange(data.num_episodes))
  last = data.padded(data.rewards, np.arange(200))[:, -1]
  direct = np.mean(returns + G**point.STEPS * last / (1 - G))
  assert fit.estimates[0] == pytest.approx(direct, rel=0.05)
  low, high = fit.interval(0, np.random.SeedSequence(0), 0.05)
  assert low <= fit.estimates[0] <= high
  assert not fit.reasons
