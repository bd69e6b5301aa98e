"""Importance ratios of clipped noise, and what is estimated by them."""

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from launchers.gates import ratios
from launchers.gates.deployed import Actions
from launchers.gates.ratios import doubly_robust

GAMMA = 0.9


def actions_of(mean: Any, deviation: float) -> Actions:
  mean = np.asarray(mean, np.float32)
  return Actions(mean, np.full_like(mean, deviation))


def test_the_same_policy_has_ratios_of_one() -> None:
  """K-I1."""
  rng = np.random.default_rng(0)
  policy = actions_of(rng.uniform(-1, 1, (40 * 20, 3)), 0.5)
  done = policy.sample(rng.standard_normal(policy.mean.shape))
  assert np.mean(np.abs(done) == 1) > 0.1  # Clipped ones are among them.
  density = ratios.log_density(done, policy)
  other = ratios.log_density(done, actions_of(policy.mean, 0.5))
  logs = (density - other).reshape(40, 20)
  np.testing.assert_allclose(np.exp(logs), 1, atol=1e-6)
  rewards = rng.normal(size=(40, 20))
  direct = np.mean(rewards @ GAMMA ** np.arange(20))
  assert ratios.per_decision(logs, rewards, GAMMA) == pytest.approx(direct)
  assert ratios.weighted_per_decision(logs, rewards, GAMMA) == pytest.approx(
    direct
  )
  np.testing.assert_allclose(ratios.effective_sizes(logs), 40)


class Chain:
  """Three states in a row; a step goes on, pays, or ends, as it is done."""

  PAYS = np.array([[1.0, 0.0], [0.5, 2.0], [3.0, -1.0]])

  def __init__(self, seed: int, count: int):
    rng = np.random.default_rng(seed)
    self.behaviour, self.target = 0.6, 0.3  # Of doing the first.
    first = rng.random((count, 3)) < self.behaviour
    done = np.where(first, 0, 1)
    b = np.where(first, self.behaviour, 1 - self.behaviour)
    t = np.where(first, self.target, 1 - self.target)
    # In a chain the three states are the three steps, whatever is done.
    self.rewards = self.PAYS[np.arange(3), done]
    self.logs = np.log(t / b)
    later = 0.0
    q, v = np.zeros((3, 2)), np.zeros(4)
    for state in (2, 1, 0):
      q[state] = self.PAYS[state] + GAMMA * later
      v[state] = later = q[state] @ [self.target, 1 - self.target]
    self.value = v[0]
    self.q = q[np.arange(3), done]
    self.v = np.broadcast_to(v, (count, 4))


def test_they_are_unbiased_on_a_chain() -> None:
  """K-I2, within three standard errors."""
  chain = Chain(1, 10_000)
  each = (np.exp(np.cumsum(chain.logs, axis=1)) * chain.rewards) @ (
    GAMMA ** np.arange(3)
  )
  error = np.std(each) / 100
  estimate = ratios.per_decision(chain.logs, chain.rewards, GAMMA)
  assert estimate == pytest.approx(np.mean(each))
  assert abs(estimate - chain.value) < 3 * error
  # Wrong values, of which those of the states are those of their actions.
  wrong = chain.q + 0.5, chain.v + 0.5 * (np.arange(4) < 3)
  parts = doubly_robust(
    chain.logs, chain.rewards, GAMMA, *wrong, weighted=False
  )
  error = np.std(parts * 10_000) / 100
  assert abs(np.sum(parts) - chain.value) < 3 * error
  weighted = np.sum(doubly_robust(chain.logs, chain.rewards, GAMMA, *wrong))
  assert weighted == pytest.approx(chain.value, abs=0.1)


def test_exact_values_leave_no_variance() -> None:
  """K-I3: the transitions and rewards are functions of what is done."""
  chain = Chain(2, 50)
  parts = doubly_robust(
    chain.logs, chain.rewards, GAMMA, chain.q, chain.v, weighted=False
  )
  np.testing.assert_allclose(parts * 50, chain.value, rtol=1e-12)
  with_weights = doubly_robust(
    chain.logs, chain.rewards, GAMMA, chain.q, chain.v
  )
  assert np.sum(with_weights) == pytest.approx(chain.value)


@pytest.mark.parametrize('mean', [-1.4, -0.9, 0.0, 0.7, 1.2])
@pytest.mark.parametrize('deviation', [0.1, 0.3, 1.0])
def test_the_density_is_that_of_what_is_clipped(
  mean: float, deviation: float
) -> None:
  """K-I4: masses and density against numerical integration."""
  policy = actions_of([[mean]], deviation)
  normal = stats.norm(mean, deviation)
  density = normal.pdf
  mean_of_policy = float(policy.mean[0, 0])
  for bound, reach in (
    (-1.0, (mean_of_policy - 40 * deviation - 2, -1.0)),
    (1.0, (1.0, mean_of_policy + 40 * deviation + 2)),
  ):
    mass, _ = integrate.quad(density, *reach, points=[mean], limit=500)
    logged = ratios.log_density(np.array([[bound]]), policy)
    assert np.exp(logged[0]) == pytest.approx(mass, abs=1e-5)
  inner, _ = integrate.quad(
    lambda a: np.exp(ratios.log_density(np.array([[a]]), policy)[0]),
    -1, 1, points=[min(max(mean, -0.999), 0.999)], limit=500,
  )  # fmt: skip
  outer = [
    np.exp(ratios.log_density(np.array([[b]]), policy)[0]) for b in (-1.0, 1.0)
  ]
  assert inner + sum(outer) == pytest.approx(1, abs=1e-5)


def test_without_noise_there_is_no_density() -> None:
  with pytest.raises(ValueError, match='acting-noise'):
    ratios.log_density(np.zeros((1, 1)), actions_of([[0.0]], 0.0))


def test_a_far_policy_is_worth_one_episode() -> None:
  logs = np.full((30, 5), -1.0)
  logs[3] = 8.0
  sizes = ratios.effective_sizes(logs)
  assert np.all(sizes < 1.01)
  # A reason that nobody may go by it.
  assert sizes[-1] < ratios.LEAST_SIZE
