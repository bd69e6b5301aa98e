"""Adam with clipping, on TensorFlow's fused kernel."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class Group(NamedTuple):
  """Variables that are trained together.

  Attributes:
    name: of the group, for instance 'critic'.
    parameters: the variables.
    learning_rate: Adam's step size.
    max_norm: bound of the gradients' global norm.
  """

  name: str
  parameters: Sequence[tf.Variable]
  learning_rate: float
  max_norm: float


class Adam(tf.Module):
  """Adam over a fixed list of variables, clipped by global norm.

  The update equals `snt.optimizers.Adam`. That class spends about fifteen
  small operations on every variable; the fused kernel spends one. Its slots
  exist from the start, so a checkpoint never restores into nothing.
  """

  def __init__(
    self,
    parameters: Sequence[tf.Variable],
    learning_rate: float,
    max_norm: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
  ):
    """Creates the moments, all zero.

    Args:
      parameters: the variables to train.
      learning_rate: the step size.
      max_norm: bound of the gradients' global norm.
      beta1: decay of the first moment.
      beta2: decay of the second moment.
      epsilon: added to the root of the unbiased second moment.
    """
    super().__init__(name='adam')
    self._parameters = list(parameters)
    self._learning_rate = learning_rate
    self._max_norm = max_norm
    self._beta1 = beta1
    self._beta2 = beta2
    self._epsilon = epsilon
    self.step = tf.Variable(0, trainable=False, dtype=tf.int64, name='step')
    self.first = [_zeros_like(p) for p in parameters]
    self.second = [_zeros_like(p) for p in parameters]

  @property
  def parameters(self) -> Sequence[tf.Variable]:
    """The variables that are trained."""
    return self._parameters

  def apply(self, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """Takes one step down these gradients.

    Args:
      gradients: one for each parameter, in the order of `parameters`. A
        parameter's constraint, if it has one, holds afterwards.

    Returns:
      The gradients' global norm before clipping, a scalar.
    """
    gradients, norm = _clip(gradients, self._max_norm)
    step = tf.cast(self.step.assign_add(1), tf.float32)
    power1 = tf.pow(self._beta1, step)
    power2 = tf.pow(self._beta2, step)
    # The kernel adds epsilon to the root of the biased moment; scaled so, it
    # is the epsilon of the paper.
    epsilon = self._epsilon * tf.sqrt(1.0 - power2)
    for variable, first, second, gradient in zip(
      self._parameters, self.first, self.second, gradients, strict=True
    ):
      tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=first.handle,
        v=second.handle,
        beta1_power=power1,
        beta2_power=power2,
        lr=self._learning_rate,
        beta1=self._beta1,
        beta2=self._beta2,
        epsilon=epsilon,
        grad=gradient,
      )
      if variable.constraint is not None:
        variable.assign(variable.constraint(variable))
    return norm


def _clip(
  gradients: Sequence[tf.Tensor], max_norm: float
) -> tuple[Sequence[tf.Tensor], tf.Tensor]:
  """Scales gradients down to a global norm; gives the norm before."""
  norm = tf.sqrt(2.0 * tf.add_n([tf.nn.l2_loss(g) for g in gradients]))
  # Most gradients are short: scaling all of them, always, is 2 % of an update.
  # A norm that is not a number takes the second way, and stays visible.
  clipped = tf.cond(
    norm <= max_norm,
    lambda: list(gradients),
    lambda: [g * (max_norm / norm) for g in gradients],
  )
  return clipped, norm


def _zeros_like(variable: tf.Variable) -> tf.Variable:
  return tf.Variable(tf.zeros_like(variable), trainable=False)
