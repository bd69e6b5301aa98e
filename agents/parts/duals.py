"""Lagrange multipliers: numbers with a floor, and constraints as data."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class Multiplier(tf.Module):
  """A number, or one a dimension, that no optimizer brings below its floor.

  Attributes:
    value: the variable; `agents.parts.optimizers.Adam` keeps its constraint.
  """

  def __init__(
    self,
    name: str,
    initial: float,
    floor: float,
    shape: Sequence[int] = (),
  ):
    """Creates the variable.

    Args:
      name: of the multiplier.
      initial: its first value.
      floor: its least value.
      shape: () for one, [A] for one a dimension.
    """
    super().__init__(name=name)
    self.value = tf.Variable(
      tf.fill(shape, initial),
      name='value',
      constraint=lambda value: tf.maximum(value, floor),
    )


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
  """What the constrained loss grows by: sg(multiplier) * measured, a scalar."""
  weight = tf.stop_gradient(constraint.multiplier.value)
  return tf.reduce_sum(weight * constraint.measured)


def multiplier_loss(constraint: Constraint) -> tf.Tensor:
  """A loss that raises the multiplier iff the measured is above the bound.

  multiplier * (bound - sg(measured)), summed; a scalar.
  """
  measured = tf.stop_gradient(constraint.measured)
  slack = constraint.bound - measured
  return tf.reduce_sum(constraint.multiplier.value * slack)
