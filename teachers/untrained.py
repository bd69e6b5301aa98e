"""A teacher that knows nothing: for trying a task that no expert ships for."""

import itertools

import numpy as np

from agents.deployed.policy import Policy, Snapshot
from teachers.base import Task
from teachers.snapshot import SnapshotTeacher

NAME = 'untrained'
_HIDDEN = (64, 64)


def make(
  observation_size: int,
  action_size: int,
  seed: int,
  hidden: tuple[int, ...] = _HIDDEN,
) -> Policy:
  """A policy with random weights.

  Args:
    observation_size: S.
    action_size: A.
    seed: of the weights.
    hidden: widths of the hidden layers.

  Returns:
    Equal policies for equal arguments.
  """
  random = np.random.default_rng(seed)
  sizes = (observation_size, *hidden, action_size)
  arrays = {
    'norm/scale': np.ones(hidden[0], np.float32),
    'norm/offset': np.zeros(hidden[0], np.float32),
  }
  for i, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
    weights = random.normal(size=(inputs, outputs)) / np.sqrt(inputs)
    arrays[f'{i}/w'] = weights.astype(np.float32)
    arrays[f'{i}/b'] = np.zeros(outputs, np.float32)
  return Policy(arrays)


def teacher(task: Task, seed: int = 0) -> SnapshotTeacher:
  """A teacher of this task that gives actions alone."""
  policy = make(*task.spec, seed).of(task)
  return SnapshotTeacher(NAME, Snapshot(policy, {}, {'task': task.name}))
