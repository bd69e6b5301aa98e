"""Lagrange multipliers: numbers within bounds, and constraints as data."""

from collections.abc import Sequence
import math
from typing import NamedTuple

import tensorflow as tf


class Multiplier(tf.Module):
  """A number, or one a dimension, that no optimizer brings beyond its bounds.

  Attributes:
    value: the variable; `agents.parts.optimizers.Adam` keeps its constraint.
  """

  def __init__(
    self,
    name: str,
    initial: float,
    floor: float,
    shape: Sequence[int] = (),
    ceiling: float = math.inf,
  ):
    """Creates the variable.

    Args:
      name: of the multiplier.
      initial: its first value.
      floor: its least value.
      shape: () for one, [A] for one a dimension.
      ceiling: its greatest value.
    """
    super().__init__(name=name)
    self.value = tf.Variable(
      tf.fill(shape, initial),
      name='value',
      constraint=lambda value: tf.clip_by_value(value, floor, ceiling),
    )

  @property
  def weight(self) -> tf.Tensor:
    """How strongly it pulls."""
    return self.value.read_value()


class LogMultiplier(Multiplier):
  """... of which the value, and so what has bounds, is the logarithm."""

  @property
  def weight(self) -> tf.Tensor:
    """See `Multiplier.weight`."""
    return tf.exp(self.value)


class Constraint(NamedTuple):
  """That something measured is at most its bound.

  Attributes:
    multiplier: how strongly it pulls at present.
    bound: epsilon.
    measured: of the multiplier's shape; the mean over a batch.
  """

  multiplier: Multiplier
  bound: float
  measured: tf.Tensor


def penalty(constraint: Constraint) -> tf.Tensor:
  """What the constrained loss grows by: sg(weight) * measured, a scalar."""
  weight = tf.stop_gradient(constraint.multiplier.weight)
  return tf.reduce_sum(weight * constraint.measured)


def multiplier_loss(constraint: Constraint) -> tf.Tensor:
  """A loss that raises the multiplier iff the measured is above the bound.

  weight * (bound - sg(measured)), summed; a scalar.
  """
  measured = tf.stop_gradient(constraint.measured)
  slack = constraint.bound - measured
  return tf.reduce_sum(constraint.multiplier.weight * slack)
