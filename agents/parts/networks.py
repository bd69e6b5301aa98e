"""From the sizes of a task to Sonnet modules."""

from collections.abc import Mapping, Sequence

import numpy as np
import sonnet as snt
import tensorflow as tf

from agents.parts.activations import elu
from datasets.types import EnvironmentSpec


class NormalizedLinear(snt.Module):
  """A linear layer, then a layer norm with scale and offset.

  Equal to `snt.Linear` and `snt.LayerNorm`, which cost ten passes over the
  outputs, [B, F]. Here they cost none: the inputs, [B, I], are few, so they
  are rescaled instead. With x~ = [x, 1], and W~ = [w; b] less the mean of each
  of its rows,

    x~ W~          is the layer's output less its mean, and so
    x~ G x~^T      with G = W~ W~^T / F is the output's variance.

  The rest is a linear layer of x~ / sigma that TensorFlow fuses with the tanh
  after it.
  """

  def __init__(
    self,
    output_size: int,
    w_init: snt.initializers.Initializer,
    epsilon: float = 1e-5,
  ):
    super().__init__(name='normalized_linear')
    self.output_size = output_size
    self._w_init = w_init
    self._epsilon = epsilon

  @snt.once
  def _initialize(self, input_size: int) -> None:
    shape = [input_size, self.output_size]
    self.w = tf.Variable(self._w_init(shape, tf.float32), name='w')
    self.b = tf.Variable(tf.zeros([self.output_size]), name='b')
    self.scale = tf.Variable(tf.ones([self.output_size]), name='scale')
    self.offset = tf.Variable(tf.zeros([self.output_size]), name='offset')

  def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
    """Maps [B, I] to [B, F]."""
    self._initialize(inputs.shape[-1])
    inputs = tf.concat([inputs, tf.ones_like(inputs[:, :1])], axis=1)
    weights = tf.concat([self.w, self.b[None]], axis=0)  # [I + 1, F]
    weights -= tf.reduce_mean(weights, axis=1, keepdims=True)
    gram = tf.matmul(weights, weights, transpose_b=True) / self.output_size
    variance = tf.reduce_sum(
      tf.matmul(inputs, gram) * inputs, axis=1, keepdims=True
    )
    # Rounding may leave less than nothing of a variance of 0.
    inputs *= tf.math.rsqrt(tf.nn.relu(variance) + self._epsilon)
    return tf.nn.bias_add(tf.matmul(inputs, weights * self.scale), self.offset)


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
    self.first = NormalizedLinear(layer_sizes[0], w_init)
    self.rest = [snt.Linear(size, w_init=w_init) for size in layer_sizes[1:]]

  def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
    """Maps [B, inputs] to [B, layer_sizes[-1]]."""
    hidden = tf.tanh(self.first(inputs))
    for linear in self.rest:
      hidden = elu(linear(hidden))
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

  def value_and_gradient(
    self, observation: tf.Tensor, action: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Q(s, a), [B], and dQ/da, [B, A]."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(action)
      q = self.value(self(observation, action))
    return q, tape.gradient(q, action)


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


def load_critic(
  arrays: Mapping[str, np.ndarray], action_size: int
) -> CategoricalCritic:
  """The critic of a snapshot (`agents.deployed.policy.Snapshot.critic`).

  Args:
    arrays: those of `agents.deployed.layers`, and 'atoms'.
    action_size: A; all other inputs are the observation.
  """
  atoms, layers = arrays['atoms'], (len(arrays) - 3) // 2
  spec = EnvironmentSpec(len(arrays['0/w']) - action_size, action_size)
  sizes = [len(arrays[f'{i}/b']) for i in range(layers - 1)]
  critic = make_critic(
    spec, sizes, float(atoms[0]), float(atoms[-1]), len(atoms)
  )
  critic.atoms = atoms  # Not to the last bit those of linspace.
  torso = critic.torso
  torso.first.scale.assign(arrays['norm/scale'])
  torso.first.offset.assign(arrays['norm/offset'])
  for i, layer in enumerate([torso.first, *torso.rest, critic.head]):
    layer.w.assign(arrays[f'{i}/w'])
    layer.b.assign(arrays[f'{i}/b'])
  return critic


def copy_variables(source: snt.Module, destination: snt.Module) -> None:
  """Makes every variable of one module equal to its twin in the other.

  Args:
    source: the module to read.
    destination: a module of the same architecture.
  """
  for old, new in zip(destination.variables, source.variables, strict=True):
    old.assign(new)


def approach(source: snt.Module, destination: snt.Module, rate: float) -> None:
  """Moves every variable of one module towards its twin in the other.

  Args:
    source: the module to read.
    destination: a module of the same architecture.
    rate: the share of the way; 1 copies, 0 does nothing.
  """
  if rate == 1:
    copy_variables(source, destination)
    return
  for old, new in zip(destination.variables, source.variables, strict=True):
    old.assign_add(rate * (new - old))
