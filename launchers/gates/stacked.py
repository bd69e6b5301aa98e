"""Several networks as one stacked product, and what trains them all."""

from collections.abc import Sequence
import itertools

import numpy as np
import tensorflow as tf

from agents.parts.activations import relu


class Stack:
  """M networks of [s, a], as one product a layer."""

  def __init__(self, members: int, sizes: Sequence[int], seed: int):
    rng = np.random.default_rng(seed)
    self.weights: list[tf.Variable] = []
    self.biases: list[tf.Variable] = []
    for width, size in itertools.pairwise(sizes):
      bound = 1 / np.sqrt(width)
      shape = members, width, size
      values = rng.uniform(-bound, bound, shape).astype(np.float32)
      self.weights.append(tf.Variable(values))
      self.biases.append(tf.Variable(tf.zeros([members, 1, size])))

  @property
  def variables(self) -> list[tf.Variable]:
    """All of them, in one order."""
    return [*self.weights, *self.biases]

  def some(self, members: Sequence[int], x: tf.Tensor) -> tf.Tensor:
    """The mean of some of them, [B, S + A] to [B]."""
    part = Stack.__new__(Stack)
    part.weights = [tf.gather(w, members) for w in self.weights]
    part.biases = [tf.gather(b, members) for b in self.biases]
    return tf.reduce_mean(part(x[None]), axis=0)

  def __call__(self, x: tf.Tensor) -> tf.Tensor:
    """[M, B, S + A] to [M, B]."""
    layers = list(zip(self.weights, self.biases, strict=True))
    for w, b in layers[:-1]:
      x = relu(x @ w + b)
    w, b = layers[-1]
    return (x @ w + b)[..., 0]


class AdamW:
  """Adam with decoupled decay, whose step size falls by a cosine.

  Attributes:
    step: steps that it has taken.
  """

  def __init__(
    self,
    variables: Sequence[tf.Variable],
    learning_rate: float,
    weight_decay: float,
    num_steps: int,
  ):
    """Creates the moments, all zero.

    Args:
      variables: to train.
      learning_rate: the first step size; the last is a twentieth of it.
      weight_decay: share that a step of size 1 takes off the variables.
      num_steps: after which the step size stays.
    """
    self._variables = list(variables)
    self._learning_rate = learning_rate
    self._weight_decay = weight_decay
    self._num_steps = num_steps
    self._moments = [
      (tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v)))
      for v in self._variables
    ]
    self.step = tf.Variable(0, dtype=tf.int64, trainable=False)

  def apply(self, gradients: Sequence[tf.Tensor]) -> None:
    """Takes one step down the gradients, in the order of the variables."""
    done = tf.cast(self.step, tf.float32) / self._num_steps
    share = 0.05 + 0.95 * 0.5 * (1 + tf.cos(np.pi * tf.minimum(done, 1.0)))
    rate = self._learning_rate * share
    t = tf.cast(self.step.assign_add(1), tf.float32)
    powers = [tf.pow(beta, t) for beta in (0.9, 0.999)]
    for variable, (m, v), gradient in zip(
      self._variables, self._moments, gradients, strict=True
    ):
      variable.assign((1 - rate * self._weight_decay) * variable)
      tf.raw_ops.ResourceApplyAdam(
        var=variable.handle, m=m.handle, v=v.handle, beta1_power=powers[0],
        beta2_power=powers[1], lr=rate, beta1=0.9, beta2=0.999, epsilon=1e-8,
        grad=gradient,
      )  # fmt: skip
