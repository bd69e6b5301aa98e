"""Teachers of zeros, some difficult: --teacher tests.launchers.sloth:make."""

import time

import numpy as np

from teachers.base import Task, Teacher


class Sloth(Teacher):
  """In each process it is asleep when it is made and first asked."""

  _seconds = 9.0
  _naps = 2

  def _nap(self) -> None:
    if self._naps:
      self._naps -= 1
      time.sleep(self._seconds)

  def actions(self, observations: np.ndarray) -> np.ndarray:
    self._nap()
    return np.zeros((len(observations), self.action_size), np.float32)

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    self._nap()
    return np.ones_like(actions)


def make(task: Task) -> Sloth:
  """The teacher, after a while."""
  time.sleep(4)
  return Sloth('sloth', '1', *task.spec)


class _Awake(Sloth):
  _naps = 0


def awake(task: Task) -> Teacher:
  """The same at once."""
  return _Awake('awake', '1', *task.spec)


def fickle(task: Task) -> Teacher:
  """Another one each time, which no run puts up with."""
  return _Awake('fickle', str(time.monotonic_ns()), *task.spec)
