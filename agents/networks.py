"""From the sizes of a task to Sonnet modules."""

from collections.abc import Sequence

import numpy as np
import sonnet as snt
import tensorflow as tf

from datasets.types import EnvironmentSpec


class LayerNorm(snt.Module):
  """Gives each row mean 0 and variance 1, then scales and shifts.

  Equal to `snt.LayerNorm` over the last axis with half of its operations:
  they are a fifth of what an update spends outside of matrix products.
  """

  def __init__(self, size: int, epsilon: float = 1e-5):
    super().__init__(name='layer_norm')
    self.scale = tf.Variable(tf.ones([size]), name='scale')
    self.offset = tf.Variable(tf.zeros([size]), name='offset')
    self._epsilon = epsilon

  def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
    """Maps [B, size] to [B, size]."""
    centred = inputs - tf.reduce_mean(inputs, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    normal = centred * tf.math.rsqrt(variance + self._epsilon)
    return normal * self.scale + self.offset


class LayerNormMLP(snt.Module):
  """Linear, layer norm, tanh; then linear layers, each followed by an ELU."""

  def __init__(self, layer_sizes: Sequence[int]):
    """Builds the torso that policies and critics share the shape of.

    Args:
      layer_sizes: width of each layer, at least one.
    """
    super().__init__(name='torso')
    if not layer_sizes or min(layer_sizes) < 1:
      raise ValueError(
        f'layer_sizes is {tuple(layer_sizes)}; it needs one or more positive '
        'widths.'
      )
    w_init = snt.initializers.VarianceScaling(
      scale=0.333, mode='fan_out', distribution='uniform'
    )
    self.first = snt.Linear(layer_sizes[0], w_init=w_init)
    self.norm = LayerNorm(layer_sizes[0])
    self.rest = [snt.Linear(size, w_init=w_init) for size in layer_sizes[1:]]

  def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
    """Maps [B, inputs] to [B, layer_sizes[-1]]."""
    hidden = tf.tanh(self.norm(self.first(inputs)))
    for linear in self.rest:
      hidden = tf.nn.elu(linear(hidden))
    return hidden


class DeterministicPolicy(snt.Module):
  """Observations to canonical actions, in [-1, 1]."""

  def __init__(self, layer_sizes: Sequence[int], action_size: int):
    super().__init__(name='policy')
    self.torso = LayerNormMLP(layer_sizes)
    # Nearly zero weights: the first actions are nearly zero everywhere.
    self.head = snt.Linear(
      action_size, w_init=snt.initializers.VarianceScaling(scale=1e-4)
    )

  def __call__(self, observation: tf.Tensor) -> tf.Tensor:
    """Maps [B, S] to [B, A]."""
    return tf.tanh(self.head(self.torso(observation)))


class CategoricalCritic(snt.Module):
  """A distribution of the return on fixed, evenly spaced atoms."""

  def __init__(
    self,
    layer_sizes: Sequence[int],
    vmin: float,
    vmax: float,
    num_atoms: int,
  ):
    super().__init__(name='critic')
    if not vmin < vmax or num_atoms < 2:
      raise ValueError(
        f'vmin={vmin}, vmax={vmax}, num_atoms={num_atoms}: a support needs '
        'vmin < vmax and two or more atoms.'
      )
    self.torso = LayerNormMLP(layer_sizes)
    self.head = snt.Linear(num_atoms)
    self.atoms = np.linspace(vmin, vmax, num_atoms, dtype=np.float32)

  def __call__(self, observation: tf.Tensor, action: tf.Tensor) -> tf.Tensor:
    """Maps [B, S] and [B, A] to logits [B, N]."""
    return self.head(self.torso(tf.concat([observation, action], axis=-1)))

  def value(self, logits: tf.Tensor) -> tf.Tensor:
    """The mean [B] of the distributions that have these logits [B, N]."""
    return tf.linalg.matvec(tf.nn.softmax(logits), self.atoms)


def make_policy(
  spec: EnvironmentSpec, layer_sizes: Sequence[int]
) -> DeterministicPolicy:
  """A policy for a task, its variables created."""
  policy = DeterministicPolicy(layer_sizes, spec.action_size)
  policy(tf.zeros([1, spec.observation_size]))
  return policy


def make_critic(
  spec: EnvironmentSpec,
  layer_sizes: Sequence[int],
  vmin: float,
  vmax: float,
  num_atoms: int,
) -> CategoricalCritic:
  """A critic for a task, its variables created."""
  critic = CategoricalCritic(layer_sizes, vmin, vmax, num_atoms)
  critic(tf.zeros([1, spec.observation_size]), tf.zeros([1, spec.action_size]))
  return critic


def copy_variables(source: snt.Module, destination: snt.Module) -> None:
  """Makes every variable of one module equal to its twin in the other.

  Args:
    source: the module to read.
    destination: a module of the same architecture.
  """
  for old, new in zip(destination.variables, source.variables, strict=True):
    old.assign(new)
