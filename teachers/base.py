"""What a teacher is."""

from typing import Protocol

import numpy as np


class Teacher(Protocol):
  """A queryable source of knowledge about one task.

  The calls that a recorder of demonstrations makes:

      actions = teacher.actions(observations)
      Annotation(teacher.name, teacher.version, actions)

  Attributes:
    name: what a person calls it, for instance 'cartpole-swingup/expert'.
    version: changes whenever its advice may change.
  """

  name: str
  version: str

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """What it would do.

    Args:
      observations: [B, S] float32.

    Returns:
      [B, A] float32 in [-1, 1].
    """
