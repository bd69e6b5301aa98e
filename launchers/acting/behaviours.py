"""What acts: a policy of our own, or whatever a teacher does."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Optional

import numpy as np

from agents.deployed import layers
from agents.deployed.policy import Policy
from teachers.base import Teacher
from teachers.checks import ask_actions
from teachers.snapshot import SnapshotTeacher

Behaviour = Callable[[np.ndarray], np.ndarray]
"""[B, S] float32 to [B, A] float32 in [-1, 1], each row by itself. A Policy,
for instance, or a teacher's `actions`."""

LANES = 8
"""Rows that a behaviour sees at a time, and episodes of one side by side."""

Distribution = Callable[[], tuple[np.ndarray, np.ndarray]]
"""See `Form.distribution`."""

Block = tuple[Behaviour, Sequence[np.random.SeedSequence]]
"""What acts, and the seeds of the episodes in which it does."""


class Exploration(NamedTuple):
  """How what is done departs from what a behaviour would do.

  Attributes:
    noise: standard deviation of what is added to actions, in action units. A
      policy that has a distribution of its own draws from that instead, for any
      noise above 0.
    random_share: how often, of all steps, the action is drawn uniformly from
      all there are instead.
  """

  noise: float = 0.0
  random_share: float = 0.0

  def random_actions(
    self, random: np.random.Generator, shape: tuple[int, int]
  ) -> np.ndarray:
    """What is done instead, [T, A]; NaN in the steps that it leaves alone."""
    is_random = random.random(shape[0], np.float32) < self.random_share
    actions = random.uniform(-1, 1, shape).astype(np.float32)
    actions[~is_random] = np.nan
    return actions


def behaviour_of(teacher: Teacher) -> Behaviour:
  """What a teacher does, checked unless it is a policy of our own format."""
  if isinstance(teacher, SnapshotTeacher):
    return teacher.policy
  return lambda observations: ask_actions(teacher, observations)


class SideBySide:
  """Acts for the episodes of all blocks, [L, S] to [L, A].

  Each behaviour sees LANES rows, of which its episodes are the first.

  Attributes:
    is_noisy: whether what `explore` makes needs clipping.
    scale: what standard normal numbers are multiplied by to be the noise that
      `explore` takes.
  """

  def __init__(self, blocks: Sequence[Block], width: int, noise: float = 0.0):
    """Begins.

    Args:
      blocks: what acts in which episodes; one, if there is noise.
      width: of an observation.
      noise: see `Exploration`.
    """
    self._rows = np.concatenate(
      [LANES * i + np.arange(len(seeds)) for i, (_, seeds) in enumerate(blocks)]
    )
    self._inputs = np.zeros((len(blocks), LANES, width), np.float32)
    self._flat = self._inputs.reshape(-1, width)
    behaviours = [behaviour for behaviour, _ in blocks]
    policies = [
      b
      for b in behaviours
      # One of another width is refused by itself.
      if isinstance(b, Policy) and b.spec.observation_size == width
    ]
    kinds = {(p.form, *layers.shapes(p.arrays).items()) for p in policies}
    self._act: Behaviour
    self._distribution: Optional[Distribution] = None
    if len(policies) == len(blocks) and len(kinds) == 1:
      actor = Policy.stack(policies, LANES)
      self._act = actor
      if noise > 0 and actor.has_distribution:
        self._distribution = actor.distribution
    else:
      self._act = _one_by_one(behaviours)
    self.is_noisy = noise > 0
    self.scale = noise if self._distribution is None else 1.0

  def __call__(
    self, observations: np.ndarray, over: Sequence[int]
  ) -> np.ndarray:
    """What is proposed; the lanes that are `over` are shown as zeros."""
    self._flat[self._rows] = observations
    if over:
      self._flat[self._rows[over]] = 0
    return self._of_lanes(self._act(self._inputs))  # [P, LANES, A]

  def explore(self, proposed: np.ndarray, noise: np.ndarray) -> None:
    """Makes the noise [L, A] what is done instead of `proposed`, unclipped."""
    if self._distribution is None:
      noise += proposed
      return
    mean, deviation = self._distribution()
    noise *= self._of_lanes(deviation)
    noise += self._of_lanes(mean)

  def _of_lanes(self, outputs: np.ndarray) -> np.ndarray:
    return outputs.reshape(len(self._flat), -1)[self._rows]


def _one_by_one(behaviours: Sequence[Behaviour]) -> Behaviour:
  def act(inputs: np.ndarray) -> np.ndarray:
    return np.stack(
      [act(rows) for act, rows in zip(behaviours, inputs, strict=True)]
    )

  return act
