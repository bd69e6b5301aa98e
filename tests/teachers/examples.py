"""Teachers whose advice is known."""

import numpy as np

from teachers.base import Task, Teacher

TASK = Task('made-up', 3, 2)


class Constant(Teacher):
  """Gives the same action and gradient everywhere."""

  def __init__(self, action, gradient=(0.0, 0.0), version='1', name='constant'):
    super().__init__(name, version, 3, 2)
    self._action = np.array(action, np.float32)
    self._gradient = np.array(gradient, np.float32)

  def actions(self, observations):
    return np.tile(self._action, (len(observations), 1))

  def action_gradients(self, observations, actions):
    return np.tile(self._gradient, (len(observations), 1))


class Towards(Teacher):
  """Gives gradients alone, towards tanh of the first of the observation."""

  def __init__(self):
    super().__init__('towards', '1', 3, 2)

  def action_gradients(self, observations, actions):
    return np.tanh(observations[:, :2]) - actions


class Tanh(Teacher):
  """Gives actions alone."""

  def __init__(self):
    super().__init__('tanh', '1', 3, 2)

  def actions(self, observations):
    return np.tanh(observations[:, :2])


def make(task, **arguments):
  """For addresses, tests.teachers.examples:make."""
  del task
  return Constant((0.5, -0.5), **arguments)


def tanh(task):
  """For addresses, tests.teachers.examples:tanh."""
  del task
  return Tanh()
