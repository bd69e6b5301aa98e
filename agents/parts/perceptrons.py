"""Plain networks: linear layers with a ReLU between each two."""

from collections.abc import Sequence

import sonnet as snt
import tensorflow as tf

from agents.parts.activations import relu


class MLP(snt.Module):
  """Linear layers with a ReLU between each two.

  Attributes:
    layers: the linear layers, in order.
  """

  def __init__(self, layer_sizes: Sequence[int], output_size: int, name: str):
    super().__init__(name=name)
    self.layers = [snt.Linear(size) for size in (*layer_sizes, output_size)]

  def __call__(self, *inputs: tf.Tensor) -> tf.Tensor:
    """Maps arrays [B, ...], joined at their last axis, to [B, outputs]."""
    *hidden, last = self.layers
    x = tf.concat(inputs, axis=-1)
    for linear in hidden:
      x = relu(linear(x))
    return last(x)


class TanhMLP(MLP):
  """... with a tanh after the last: observations to canonical actions."""

  def __call__(self, *inputs: tf.Tensor) -> tf.Tensor:
    """Maps arrays [B, ...], joined at their last axis, to [B, outputs]."""
    return tf.tanh(super().__call__(*inputs))


def make_mlp(
  input_size: int, layer_sizes: Sequence[int], output_size: int, name: str
) -> MLP:
  """A network, its variables created."""
  network = MLP(layer_sizes, output_size, name)
  network(tf.zeros([1, input_size]))
  return network


def make_tanh_mlp(
  input_size: int, layer_sizes: Sequence[int], output_size: int, name: str
) -> TanhMLP:
  """... whose last layer has a tanh, its variables created."""
  network = TanhMLP(layer_sizes, output_size, name)
  network(tf.zeros([1, input_size]))
  return network
