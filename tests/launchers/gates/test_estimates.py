"""A ruined policy is told from a better one, on the log of a point."""

import functools
from typing import Any

import numpy as np
import pytest

from agents.deployed.policy import Policy
from datasets.types import Episode
from launchers.gates import estimates, rules
from launchers.gates.data import Data
from launchers.gates.fits import FitOptions
from studies import point
from teachers import untrained

G = 0.9
OPTIONS = FitOptions(1_500, 3, (64, 64), 128, 3e-3)


def going(gain: float, towards: np.ndarray) -> Policy:
  """About clip(gain * (towards - s)), as a policy of our own form."""
  arrays = {k: np.zeros_like(v) for k, v in _EMPTY.items()}
  # max(x, 0) of s, -s, of which the head makes s again; tanh bounds it.
  arrays['0/w'][:, :4] = [[1, 0, -1, 0], [0, 1, 0, -1]]
  arrays['1/w'][:4] = gain * np.array([[-1, 0], [0, -1], [1, 0], [0, 1]])
  arrays['1/b'][:] = gain * towards
  return Policy(arrays, form='deterministic_relu')


_EMPTY = {
  '0/w': np.zeros((2, 8), np.float32), '0/b': np.zeros(8, np.float32),
  '1/w': np.zeros((8, 2), np.float32), '1/b': np.zeros(2, np.float32),
}  # fmt: skip

DEPLOYED = going(4.0, 0.6 * point.GOAL)
BETTER = going(4.0, point.GOAL)
RUINED = going(1e6, -point.GOAL)  # Saturated, away from the goal.


@functools.cache
def data() -> Data:
  """Some that go for the goal, most elsewhere; who acted is not known."""
  episodes: list[Episode] = point.log(150, right=0.7, astray=None)
  return Data(episodes)


def asked(candidate: Policy, before: Any = DEPLOYED) -> dict[str, Any]:
  question = estimates.Question(candidate, before, 0.3, {}, G, OPTIONS, (0, 1))
  return estimates.estimate(question, data(), {'outside', 'lower'})


def verdict(rule: str, found: dict[str, Any]) -> rules.Verdict:
  return rules.decide([rule], found['quantities'], True, notes=found['notes'])


def test_a_ruined_policy_is_held_back_and_a_better_one_passes() -> None:
  better, ruined = asked(BETTER), asked(RUINED)
  for rule, outcome in (('no_worse', 'passes'), ('supported', 'passes')):
    assert verdict(rule, better).outcome == outcome, better
  for rule in ('no_worse', 'supported'):
    said = verdict(rule, ruined)
    assert said.outcome == 'held back', ruined
    assert 'below' in said.reason or 'above' in said.reason
  # The same question, the same bits.
  assert asked(BETTER) == better


def test_of_the_first_policy_only_the_support_is_known() -> None:
  found = asked(BETTER, None)
  assert set(found['quantities']) == {'outside'}
  assert 'fitted_q' not in found


def test_what_has_not_settled_decides_nothing() -> None:
  question = estimates.Question(
    BETTER, DEPLOYED, 0.3, {}, 0.99, OPTIONS._replace(updates=20), (0, 1)
  )
  found = estimates.estimate(question, data(), {'lower'})
  assert 'lower' not in found['quantities']
  assert not found['fitted_q']['settled']
  said = verdict('no_worse', found)
  assert said.outcome == 'held back'
  assert '20 updates are fewer than the 5000' in said.reason


def test_past_errors_widen_the_bound() -> None:
  question = estimates.Question(
    BETTER, DEPLOYED, 0.3, {}, G, OPTIONS, (0, 1), (1.5, -3.0)
  )
  found = estimates.estimate(question, data(), {'lower'})
  assert found['fitted_q']['widened'] == 1.5
  assert found['quantities']['lower'] == pytest.approx(
    found['fitted_q']['lower'] - 1.5
  )


def test_what_was_acted_by_policies_is_weighted() -> None:
  acting = untrained.make(2, 2, 0, (8, 8))
  rng = np.random.default_rng(0)
  episodes = []
  for episode in point.log(20, right=1.0):
    means = acting(episode.observations[:-1])
    actions = np.clip(means + rng.normal(0, 0.3, means.shape), -1, 1)
    episodes.append(
      episode._replace(
        actions=actions.astype(np.float32), policy=acting.digest,
        identity=episode.identity._replace(cycle=1),
      )
    )  # fmt: skip
  question = estimates.Question(
    acting, acting, 0.3, {acting.digest: acting}, G,
    OPTIONS._replace(updates=10), (0, 1),
  )  # fmt: skip
  found = estimates.estimate(question, Data(episodes), {'lower', 'outside'})
  assert found['weighted']['size_at_horizon'] == pytest.approx(20)
  mean = found['direct']['mean']
  assert found['weighted']['wpdis'] == pytest.approx(mean)
  assert found['weighted']['pdis'] == pytest.approx(mean)
  # With as many as these, the rule goes by the doubly robust estimate: what
  # was earned, and what would come after the episodes were cut.
  robust = found['doubly_robust']
  assert robust['value'] == pytest.approx(robust['before'], rel=0.02)
  assert mean < robust['value'] < 1.3 * mean
  assert robust['lower'] < robust['value'] < robust['upper']
  assert found['quantities']['lower'] == robust['lower']
  assert found['direct']['bernstein'] < found['direct']['bca'] < mean
  assert found['support']['log_likelihood'] == pytest.approx(0, abs=3)
