"""What comes of an episode: what was acted, or why there is nothing.

No MuJoCo is imported here, so that the help of commands is quick.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar, Union

import numpy as np


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
