"""What acts: a policy with its noise, as a distribution of clipped actions."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from agents.deployed.policy import Policy

_ROWS = 1024  # Observations in one pass.


class Actions(NamedTuple):
  """In each state a normal distribution of actions, clipped to [-1, 1].

  Attributes:
    mean: [..., A] float32.
    deviation: [..., A] float32; 0 where nothing is drawn.
  """

  mean: np.ndarray
  deviation: np.ndarray

  def sample(self, noise: np.ndarray) -> np.ndarray:
    """Actions made of standard normal numbers of the same shape."""
    return np.clip(self.mean + self.deviation * noise, -1, 1)


class Deployed(NamedTuple):
  """A policy as actors run it.

  Attributes:
    policy: the policy.
    noise: standard deviation of what actors add to its actions, in action
      units; a policy with a distribution of its own draws from that instead,
      unless this is 0.
  """

  policy: Policy
  noise: float

  def at(
    self, observations: np.ndarray, tick: Callable[[], None] = lambda: None
  ) -> Actions:
    """What it does at observations [N, S].

    Args:
      observations: [N, S].
      tick: called now and then; it may raise.
    """
    count = len(observations)
    size = self.policy.spec.action_size
    mean = np.empty((count, size), np.float32)
    deviation = np.full((count, size), self.noise, np.float32)
    act = Policy.stack([self.policy], _ROWS)
    draws = act.has_distribution and self.noise > 0
    # A row's action depends on the rows of a pass, so that all are of one size.
    rows = np.zeros((1, _ROWS, self.policy.spec.observation_size), np.float32)
    for first in range(0, count, _ROWS):
      tick()
      some = observations[first : first + _ROWS]
      rows[0, : len(some)] = some
      acted = act(rows)[0]
      here = slice(first, first + len(some))
      mean[here] = acted[: len(some)]
      if draws:
        own_mean, own_deviation = act.distribution()
        mean[here] = own_mean[0, : len(some)]
        deviation[here] = own_deviation[0, : len(some)]
    return Actions(mean, deviation)
