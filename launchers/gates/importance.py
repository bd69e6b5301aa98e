"""What those who acted have earned, weighted as the candidate would have acted.

With values from networks that saw the other half of the episodes it is the
weighted doubly robust estimate.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Protocol

import numpy as np

from agents.deployed.policy import Policy
from launchers.gates import bounds, ratios
from launchers.gates.data import Data
from launchers.gates.deployed import Deployed

_MOST_STEPS = 100_000  # The latest ones, of who is nearest to the candidate.
_DRAWS = 500


class Values(Protocol):
  """Networks that were fitted to folds of the episodes."""

  def of_steps(self, policy: int, fold: int) -> np.ndarray:
    """Q of what was done, [N], by networks that did not see the fold."""

  def of_rows(self, policy: int, fold: int) -> np.ndarray:
    """V of each observation, [O], by these."""


class Importance(NamedTuple):
  """The log-ratios of some policies to who acted.

  Attributes:
    where: the episodes, of those who are known.
    logs: of each policy [k, T].
    rewards: [k, T].
    discount: g.
  """

  where: np.ndarray
  logs: list[np.ndarray]
  rewards: np.ndarray
  discount: float

  @classmethod
  def of(
    cls,
    data: Data,
    policies: Sequence[Policy],
    behaviours: Mapping[str, Policy],
    noise: float,
    discount: float,
    tick: Callable[[], None],
  ) -> Optional['Importance']:
    """Of policies that act with this noise, as all who acted did.

    Returns:
      None where there are fewer than two such episodes, or there is no noise.
    """
    known = np.array([d in behaviours for d in data.policies])
    where = np.flatnonzero(known & (data.cycles > 0))
    if len(where) < 2 or noise <= 0:
      return None
    most = max(_MOST_STEPS // int(np.max(data.lengths)), 2)
    where = where[-most:]
    steps = data.steps_of(where)
    rows = data.observations[data.rows(steps)]
    actions = data.actions[steps]
    acted = np.repeat(
      np.array([data.policies[i] for i in where]), data.lengths[where]
    )
    there = np.zeros(len(steps))
    for digest in sorted(set(acted.tolist())):
      some = acted == digest
      at = Deployed(behaviours[digest], noise).at(rows[some], tick)
      there[some] = ratios.log_density(actions[some], at)
    logs = []
    for policy in policies:
      here = ratios.log_density(actions, Deployed(policy, noise).at(rows, tick))
      each = np.zeros(len(data.actions))
      each[steps] = here - there
      logs.append(data.padded(each, where))
    return cls(where, logs, data.padded(data.rewards, where), discount)

  @property
  def size(self) -> float:
    """The candidate's effective sample size at the horizon of the discount."""
    sizes = ratios.effective_sizes(self.logs[0])
    horizon = min(round(1 / max(1 - self.discount, 1e-9)), len(sizes))
    return float(sizes[horizon - 1])

  def record(self) -> dict[str, Any]:
    """What is known without any values."""
    arguments = self.logs[0], self.rewards, self.discount
    plain = ratios.per_decision(*arguments)
    return {
      'wpdis': ratios.weighted_per_decision(*arguments),
      'pdis': plain if np.isfinite(plain) else None,
      'size_at_horizon': self.size,
      'least_size': float(np.min(ratios.effective_sizes(self.logs[0]))),
      'episodes': len(self.where),
    }

  def doubly_robust(
    self,
    data: Data,
    values: Values,
    folds: np.ndarray,
    seed: np.random.SeedSequence,
  ) -> dict[str, float]:
    """The weighted doubly robust estimates of the first two policies.

    Args:
      data: what was done.
      values: of both.
      folds: [n], 0 or 1, which half each episode is of.
      seed: of the draws of episodes that the bounds are of.
    """
    parts = [self._values(data, values, folds, policy) for policy in (0, 1)]
    estimates = [
      float(np.sum(self._parts(policy, *parts[policy], slice(None))))
      for policy in (0, 1)
    ]
    rng = np.random.default_rng(seed)
    count = len(self.where)
    draws = [
      np.sum(self._parts(0, *parts[0], rng.integers(count, size=count)))
      for _ in range(_DRAWS)
    ]
    low, high = np.quantile(draws, [bounds.DELTA, 1 - bounds.DELTA])
    return {
      'value': estimates[0], 'lower': float(low), 'upper': float(high),
      'before': estimates[1],
    }  # fmt: skip

  def _parts(
    self, policy: int, q: np.ndarray, v: np.ndarray, chosen: Any
  ) -> np.ndarray:
    return ratios.doubly_robust(
      self.logs[policy][chosen], self.rewards[chosen], self.discount,
      q[chosen], v[chosen],
    )  # fmt: skip

  def _values(
    self, data: Data, values: Values, folds: np.ndarray, policy: int
  ) -> tuple[np.ndarray, np.ndarray]:
    """Q [k, T] and V [k, T + 1] by networks that did not see the episode."""
    count, steps = self.rewards.shape
    q, v = np.zeros((count, steps)), np.zeros((count, steps + 1))
    for fold in (0, 1):
      of_steps = values.of_steps(policy, fold)
      of_rows = values.of_rows(policy, fold)
      for row in np.flatnonzero(folds[self.where] == fold):
        episode = self.where[[row]]
        done = data.steps_of(episode)
        length = len(done)
        q[row, :length] = of_steps[done]
        v[row, :length] = of_rows[data.rows(done)]
        # After a limit of time it would go on; after its own end it is 0.
        last = of_rows[data.next_rows(done[-1])] * data.discounts[done[-1]]
        v[row, length] = last
    return q, v
