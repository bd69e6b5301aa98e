"""A policy as a SavedModel, and as a TFLite file."""

from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from agents.deployed.layers import EPSILON
from launchers.exports.network import LayerNorm, Linear, Step

_ELEMENTWISE: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
  'tanh': tf.tanh,
  'elu': tf.nn.elu,
  'relu': tf.nn.relu,
  'clip': lambda x: tf.clip_by_value(x, -1.0, 1.0),
}


class _Module(tf.Module):
  """Maps `observation`, [B, S], to `action`, [B, A]."""

  def __init__(self, steps: Sequence[Step], width: int):
    super().__init__('policy')
    self._steps = steps
    self.act = tf.function(
      self._act,
      input_signature=[tf.TensorSpec([None, width], tf.float32, 'observation')],
    )

  def _act(self, observation: tf.Tensor) -> dict[str, tf.Tensor]:
    x = observation
    for step in self._steps:
      if isinstance(step, Linear):
        x = tf.matmul(x, step.weights) + step.bias
      elif isinstance(step, LayerNorm):
        mean = tf.reduce_mean(x, 1, keepdims=True)  # [B, 1]
        x = x - mean
        variance = tf.reduce_mean(tf.square(x), 1, keepdims=True)  # [B, 1]
        x = x * tf.math.rsqrt(variance + EPSILON) * step.scale + step.offset
      else:
        x = _ELEMENTWISE[step](x)
    return {'action': x}


def write_saved_model(
  steps: Sequence[Step], width: int, directory: Path
) -> None:
  """Writes a SavedModel whose default signature takes `observation`."""
  module = _Module(steps, width)
  tf.saved_model.save(module, str(directory), signatures=module.act)


def write_tflite(steps: Sequence[Step], width: int, path: Path) -> None:
  """Writes a TFLite file, float32, of TensorFlow Lite's own operations."""
  module = _Module(steps, width)
  converter = tf.lite.TFLiteConverter.from_concrete_functions(
    [module.act.get_concrete_function()], module
  )
  path.write_bytes(converter.convert())
