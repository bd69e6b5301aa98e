"""Several samples at each state."""

from collections.abc import Callable

import tensorflow as tf

_GROUPS = 4
"""Into so many parts samples are cut, which do not wait for each other.

Each is a chain of products, and different cores work on different chains. The
number is no machine's: results would differ from one machine to the next.
"""


def at_samples(
  function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
  observation: tf.Tensor,
  samples: tf.Tensor,
  groups: int = _GROUPS,
) -> tf.Tensor:
  """What a network says of M samples at each state.

  Args:
    function: [N, S] and [N, X] to [N, ...], row by row.
    observation: [B, S].
    samples: [M, B, X], for instance actions.
    groups: the function is called so many times, each with about M / groups
      samples of every state; 1 where a call has a price of its own.

  Returns:
    [M, B, ...].
  """
  observation.shape.assert_has_rank(2)
  samples.shape.assert_has_rank(3)
  number, _, width = samples.shape
  groups = min(groups, number)
  sizes = [(number + i) // groups for i in range(groups)]

  def ask(some: tf.Tensor, count: int) -> tf.Tensor:
    flat = function(
      tf.tile(observation, [count, 1]), tf.reshape(some, [-1, width])
    )
    return tf.reshape(flat, [count, -1, *flat.shape[1:]])

  parts = tf.split(samples, sizes)
  return tf.concat(list(map(ask, parts, sizes)), axis=0)
