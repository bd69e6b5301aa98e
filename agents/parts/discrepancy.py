"""How far apart the distributions are that two sets of samples came from."""

from collections.abc import Callable, Mapping
from typing import Literal

import tensorflow as tf

Kernel = Literal['laplacian', 'gaussian']

_DISTANCES: Mapping[Kernel, Callable[[tf.Tensor], tf.Tensor]] = {
  'laplacian': tf.abs,
  'gaussian': tf.square,
}
_LEAST = 1e-6  # Of a square, for its root to have a slope; the published one.


def mmd(
  first: tf.Tensor, second: tf.Tensor, kernel: Kernel, width: float
) -> tf.Tensor:
  """The maximum mean discrepancy of samples, per state (Kumar et al. 2019).

  sqrt(mean k(x, x') + mean k(y, y') - 2 mean k(x, y)), over all pairs, with
  k(x, y) = exp(-d(x, y) / (2 width)), where d is the sum over dimensions of
  |x - y| for the Laplacian kernel, and of its square for the Gaussian one.

  Args:
    first: [M, B, A].
    second: [N, B, A].
    kernel: which.
    width: sigma; the published code squares it for neither kernel.

  Returns:
    [B]; 0.001 where the samples are the same.
  """
  first.shape[1:].assert_is_compatible_with(second.shape[1:])

  def likeness(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    far = tf.reduce_sum(_DISTANCES[kernel](x[:, None] - y[None]), axis=-1)
    return tf.reduce_mean(tf.exp(far / (-2.0 * width)), axis=[0, 1])  # [B]

  square = likeness(first, first) + likeness(second, second)
  square -= 2.0 * likeness(first, second)
  # By rounding it may be less than nothing.
  return tf.sqrt(tf.nn.relu(square) + _LEAST)
