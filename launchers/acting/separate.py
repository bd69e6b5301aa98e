"""What lanes are, and those of any environments, which step by turns."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from launchers.acting.outcomes import ActingStoppedError, IsStopping
from launchers.environments.base import Environment, check_finite, reason_of


class Lanes(Protocol):
  """Episodes side by side; none depends on the others.

  The loop that calls it:

      for lane, seed in enumerate(seeds):
        lanes.reset(lane, seed, observations[0, lane])
      for step in range(num_steps):
        ended = lanes.step(step, running, actions[step], observations[step + 1])
      for lane in range(len(seeds)):
        if lane not in lanes.failures:
          rewards, discounts = lanes.outcome(lane, actions[:length, lane])

  An environment that raises, or gives what nothing can learn from, ends its
  episode, and nobody else's: it is a failure.

  Attributes:
    failures: why the episodes of some lanes failed.
  """

  failures: dict[int, str]

  def reset(self, lane: int, seed: int, observation: np.ndarray) -> None:
    """Starts an episode; writes its first observation [S]."""

  def step(
    self,
    step: int,
    running: Sequence[int],
    actions: np.ndarray,
    observations: np.ndarray,
  ) -> list[int]:
    """Takes a step in the lanes that are running.

    Args:
      step: steps that they have taken before.
      running: their numbers.
      actions: [L, A] float32, a row for each lane, running or not.
      observations: [L, S] float32; the rows of the running are written.

    Returns:
      Those whose episode has ended with it, or failed.
    """

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Rewards and discounts [T] of the episode of the `actions` [T, A]."""


class SeparateLanes:
  """Any environments, which step one after the other. See `Lanes`."""

  def __init__(
    self,
    environments: Sequence[Environment],
    is_stopping: IsStopping = lambda: False,
  ):
    self._environments = environments
    self._is_stopping = is_stopping
    self._outcomes: list[list[tuple[float, float]]] = [[] for _ in environments]
    self.failures: dict[int, str] = {}

  def reset(self, lane: int, seed: int, observation: np.ndarray) -> None:
    """See `Lanes`."""
    self._outcomes[lane].clear()
    self.failures.pop(lane, None)
    try:
      self._environments[lane].reset(seed, observation)
      check_finite(0.0, observation)
    except Exception as error:  # Anyone's code; the run goes on without it.
      self.failures[lane] = f'Its reset failed. {reason_of(error)}'

  def step(
    self,
    step: int,
    running: Sequence[int],
    actions: np.ndarray,
    observations: np.ndarray,
  ) -> list[int]:
    """See `Lanes`.

    Raises:
      ActingStoppedError: between the steps of two lanes, which may take long.
    """
    ended = []
    for lane in running:
      if self._is_stopping():
        raise ActingStoppedError
      try:
        reward, discount, last = self._environments[lane].step(
          actions[lane], observations[lane]
        )
        check_finite(reward, observations[lane])
      except Exception as error:  # Anyone's code; the run goes on without it.
        self.failures[lane] = f'Its step {step} failed. {reason_of(error)}'
        ended.append(lane)
        continue
      self._outcomes[lane].append((reward, discount))
      if last:
        ended.append(lane)
    return ended

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """See `Lanes`."""
    del actions  # The environments have seen them.
    outcomes: Any = self._outcomes[lane]
    rewards, discounts = np.array(outcomes, np.float32).T
    return rewards, discounts
