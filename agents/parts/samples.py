"""Several samples at each state."""

from collections.abc import Callable

import tensorflow as tf


def at_samples(
  function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
  observation: tf.Tensor,
  samples: tf.Tensor,
) -> tf.Tensor:
  """What a network says of M samples at each state.

  Args:
    function: [N, S] and [N, X] to [N, ...]; called once, with N = M * B.
    observation: [B, S].
    samples: [M, B, X], for instance actions.

  Returns:
    [M, B, ...].
  """
  observation.shape.assert_has_rank(2)
  samples.shape.assert_has_rank(3)
  count, _, width = samples.shape
  flat = function(
    tf.tile(observation, [count, 1]), tf.reshape(samples, [-1, width])
  )
  return tf.reshape(flat, [count, -1, *flat.shape[1:]])
