"""Whole episodes as flat arrays, one step a row."""

from collections.abc import Iterable

import numpy as np

from datasets.types import Episode


class Data:
  """What was done, in the order of the episodes' identities.

  Attributes:
    observations: [O, S] float32; each episode has one more than it has steps.
    scaled: the same with mean 0 and deviation 1.
    actions: [N, A] float32, as executed.
    rewards: [N] float32.
    discounts: [N] float32, 0 where an episode ended itself.
    lengths: [n] int, steps of each episode.
    policies: the digest of who acted, of each episode.
    cycles: [n] int, in which it was acted.
  """

  def __init__(self, episodes: Iterable[Episode]):
    """Takes at least one episode, all of one task."""
    ordered = sorted(episodes, key=lambda episode: episode.identity)
    if not ordered:
      raise ValueError('There are no episodes to judge a policy by.')
    self.observations = np.concatenate([e.observations for e in ordered])
    self.actions = np.concatenate([e.actions for e in ordered])
    self.rewards = np.concatenate([e.rewards for e in ordered])
    self.discounts = np.concatenate([e.discounts for e in ordered])
    self.lengths = np.array([e.num_steps for e in ordered])
    self.policies = [e.policy for e in ordered]
    self.cycles = np.array([e.identity.cycle for e in ordered])
    self._starts = np.cumsum([0, *self.lengths])[:-1]
    self._episode = np.repeat(np.arange(len(ordered)), self.lengths)
    self.scaled = _scaled(self.observations)

  @property
  def num_episodes(self) -> int:
    """How many there are."""
    return len(self.lengths)

  @property
  def first_rows(self) -> np.ndarray:
    """The rows of the observations with which the episodes begin, [n]."""
    return self.rows(self._starts)

  def rows(self, steps: np.ndarray) -> np.ndarray:
    """The rows of the observations in which these steps were done."""
    return steps + self._episode[steps]

  def next_rows(self, steps: np.ndarray) -> np.ndarray:
    """The rows of what was observed after them."""
    return self.rows(steps) + 1

  def steps_of(self, episodes: np.ndarray) -> np.ndarray:
    """All steps of some episodes, one episode after the other."""
    return np.concatenate(
      [self._starts[e] + np.arange(self.lengths[e]) for e in episodes]
    )

  def draw(
    self, rng: np.random.Generator, episodes: np.ndarray, shape: tuple[int, ...]
  ) -> np.ndarray:
    """Uniformly random steps of some episodes, which may be named twice."""
    ends = np.cumsum(self.lengths[episodes])
    places = rng.integers(ends[-1], size=shape)
    which = np.searchsorted(ends, places, side='right')
    chosen = episodes[which]
    return self._starts[chosen] + places - (ends[which] - self.lengths[chosen])

  def padded(self, values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Values [N] of each step as [k, T] of these episodes, then 0."""
    steps = int(np.max(self.lengths[where]))
    result = np.zeros((len(where), steps))
    for row, episode in zip(result, where, strict=True):
      start, length = self._starts[episode], self.lengths[episode]
      row[:length] = values[start : start + length]
    return result

  def returns(self, discount: float, where: np.ndarray) -> np.ndarray:
    """Discounted returns of these episodes, [k] float64."""
    rewards = self.padded(self.rewards, where)
    return rewards @ np.power(float(discount), np.arange(rewards.shape[1]))

  def value_range(self, discount: float) -> tuple[float, float]:
    """What no value is beyond, by the rewards there are."""
    low, high = float(np.min(self.rewards)), float(np.max(self.rewards))
    horizon = 1 / max(1 - discount, 1e-9)
    if np.all(self.discounts > 0):
      return low * horizon, high * horizon
    return min(low, low * horizon), max(high, high * horizon)

  def constant_value(self, discount: float) -> float:
    """The one number that is its own backup over all steps."""
    kept = discount * float(np.mean(self.discounts, dtype=np.float64))
    mean = float(np.mean(self.rewards, dtype=np.float64))
    return mean / max(1 - kept, 1e-9)


def _scaled(observations: np.ndarray) -> np.ndarray:
  mean = np.mean(observations, axis=0, dtype=np.float64)
  spread = np.std(observations, axis=0, dtype=np.float64)
  divided = (observations - mean) / np.where(spread > 1e-6, spread, 1.0)
  return divided.astype(np.float32)
