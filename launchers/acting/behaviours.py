"""What acts: a policy of our own, or whatever a teacher does."""

from collections.abc import Callable

import numpy as np

from teachers.base import Teacher
from teachers.checks import ask_actions
from teachers.snapshot import SnapshotTeacher

Behaviour = Callable[[np.ndarray], np.ndarray]
"""[B, S] float32 to [B, A] float32 in [-1, 1], each row by itself. A Policy,
for instance, or a teacher's `actions`."""


def behaviour_of(teacher: Teacher) -> Behaviour:
  """What a teacher does, checked unless it is a policy of our own format."""
  if isinstance(teacher, SnapshotTeacher):
    return teacher.policy
  return lambda observations: ask_actions(teacher, observations)
