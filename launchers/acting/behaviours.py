"""What acts: a policy of our own, or whatever a teacher does."""

from collections.abc import Callable, Sequence

import numpy as np

from agents.deployed.deterministic import Deterministic
from agents.deployed.policy import Policy
from teachers.base import Teacher
from teachers.checks import ask_actions
from teachers.snapshot import SnapshotTeacher

Behaviour = Callable[[np.ndarray], np.ndarray]
"""[B, S] float32 to [B, A] float32 in [-1, 1], each row by itself. A Policy,
for instance, or a teacher's `actions`."""

LANES = 8
"""Rows that a behaviour sees at a time, and episodes of one side by side."""

Block = tuple[Behaviour, Sequence[np.random.SeedSequence]]
"""What acts, and the seeds of the episodes in which it does."""


def behaviour_of(teacher: Teacher) -> Behaviour:
  """What a teacher does, checked unless it is a policy of our own format."""
  if isinstance(teacher, SnapshotTeacher):
    return teacher.policy
  return lambda observations: ask_actions(teacher, observations)


class SideBySide:
  """Acts for the episodes of all blocks, [L, S] to [L, A].

  Each behaviour sees LANES rows, of which its episodes are the first.
  """

  def __init__(self, blocks: Sequence[Block], width: int):
    self._rows = np.concatenate(
      [LANES * i + np.arange(len(seeds)) for i, (_, seeds) in enumerate(blocks)]
    )
    self._inputs = np.zeros((len(blocks), LANES, width), np.float32)
    self._flat = self._inputs.reshape(-1, width)
    policies = [b.arrays for b, _ in blocks if isinstance(b, Policy)]
    if len(policies) == len(blocks) > 1:
      self._act: Behaviour = Deterministic(policies, LANES)
    else:
      self._act = _one_by_one([behaviour for behaviour, _ in blocks])

  def __call__(
    self, observations: np.ndarray, over: Sequence[int]
  ) -> np.ndarray:
    """Acts; the lanes that are `over` are shown as zeros."""
    self._flat[self._rows] = observations
    if over:
      self._flat[self._rows[over]] = 0
    actions = self._act(self._inputs)  # [P, LANES, A]
    return actions.reshape(len(self._flat), -1)[self._rows]


def _one_by_one(behaviours: Sequence[Behaviour]) -> Behaviour:
  def act(inputs: np.ndarray) -> np.ndarray:
    return np.stack(
      [act(rows) for act, rows in zip(behaviours, inputs, strict=True)]
    )

  return act
