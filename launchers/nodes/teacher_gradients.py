"""A teacher's action gradients inside the learner's graph."""

from collections.abc import Callable, Mapping
import functools
from typing import Optional

import numpy as np
import tensorflow as tf

from agents.parts import networks
from agents.parts.regularizers import Gradient
from teachers.base import Teacher
from teachers.checks import ask_action_gradients
from teachers.snapshot import SnapshotTeacher


class TeacherGradients:
  """From [B, S] and [B, A] to dQ*/da, [B, A], as the learner's graph calls it.

  A snapshot's critic of a distribution becomes a part of the graph. Any other
  teacher is called out of it: TensorFlow goes on meanwhile with what does not
  depend on the answer, such as the critic's update.
  """

  def __init__(self, load: Callable[[], Teacher]):
    """Asks nobody yet.

    Args:
      load: gives the teacher.
    """
    self._load = load
    self._gradients: Optional[Gradient] = None
    self._failure: Optional[Exception] = None

  def prepare(self) -> None:
    """Loads the teacher, before the graph is made: it makes no variables."""
    if self._gradients is not None:
      return
    teacher = self._load()
    arrays: Mapping[str, np.ndarray] = {}
    if isinstance(teacher, SnapshotTeacher):
      arrays = teacher.snapshot.critic
    if 'atoms' in arrays:
      critic = networks.load_critic(arrays, teacher.action_size)
      self._gradients = lambda s, a: critic.value_and_gradient(s, a)[1]
    else:
      self._gradients = functools.partial(self._call, teacher)

  def __call__(self, observation: tf.Tensor, action: tf.Tensor) -> tf.Tensor:
    """See the class; called while the graph is made."""
    assert self._gradients is not None, 'Call prepare() first.'
    return self._gradients(observation, action)

  def reraise(self) -> None:
    """Raises what kept the teacher from answering, if anything did.

    TensorFlow gives the callers of its graph an error of its own.
    """
    if self._failure:
      raise self._failure

  def _call(
    self, teacher: Teacher, observation: tf.Tensor, action: tf.Tensor
  ) -> tf.Tensor:
    gradients = tf.compat.v1.py_func(
      functools.partial(self._ask, teacher),
      [observation, action],
      tf.float32,
      # A stateful one would be waited for before the next variable is read;
      # this is the one that can be told that it is none.
      stateful=False,
    )
    return tf.ensure_shape(gradients, action.shape)

  def _ask(
    self, teacher: Teacher, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    try:
      return ask_action_gradients(teacher, observations, actions)
    except Exception as error:
      self._failure = error
      raise
