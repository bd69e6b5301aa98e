"""What comes of an episode: what was acted, or why there is nothing.

No MuJoCo is imported here, so that the help of commands is quick.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, Union

import numpy as np

IsStopping = Callable[[], bool]
"""Whether whoever acts should stop."""


class ActingStoppedError(Exception):
  """Whoever acts was asked to stop amid an episode, which is given up."""


class TooManyFailuresError(RuntimeError):
  """More episodes failed than the options allow; the message says why."""


class Rollout(NamedTuple):
  """One episode of T steps as it was acted.

  Attributes:
    observations: [T + 1, S] float32.
    actions: [T, A] float32, executed.
    proposed: [T, A] float32, the policy's own actions, without the noise.
    rewards: [T] float32.
    discounts: [T] float32.
  """

  observations: np.ndarray
  actions: np.ndarray
  proposed: np.ndarray
  rewards: np.ndarray
  discounts: np.ndarray


class Failure(NamedTuple):
  """An episode that nothing can be learned from.

  Attributes:
    reason: for a person.
  """

  reason: str


Result = TypeVar('Result')


def split(
  results: Sequence[Union[Result, Failure]],
) -> tuple[list[Result], list[str]]:
  """What succeeded, and why the others failed."""
  good = [r for r in results if not isinstance(r, Failure)]
  return good, [r.reason for r in results if isinstance(r, Failure)]


def check_failures(
  failures: int, episodes: int, share: float, why: str
) -> None:
  """Refuses to go on when too many episodes have failed.

  Args:
    failures: so far.
    episodes: that are wanted.
    share: of them, how many failures are allowed.
    why: the last one failed.

  Raises:
    TooManyFailuresError: there are more.
  """
  if failures > share * episodes:
    raise TooManyFailuresError(
      f'{failures} episodes failed where {episodes} are wanted; '
      f'max_refused_fraction allows {share}. The last one: {why}'
    )


def summary(returns: Sequence[float]) -> dict[str, Any]:
  """Count, mean, standard deviation, least and greatest of some returns."""
  if not len(returns):
    return {'episodes': 0}
  values = np.asarray(returns, np.float64)
  return {
    'episodes': len(values),
    'return_mean': float(values.mean()),
    'return_std': float(values.std()),
    'return_min': float(values.min()),
    'return_max': float(values.max()),
  }
