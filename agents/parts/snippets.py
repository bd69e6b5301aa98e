"""What a stretch of an episode says: its returns, and which of it was good."""

from collections.abc import Callable

import tensorflow as tf

Filter = Callable[[tf.Tensor], tf.Tensor]
"""From advantages, [B, L], to the weights of their actions, [B, L]."""


def everything(advantage: tf.Tensor) -> tf.Tensor:
  """BM: each action counts."""
  return tf.ones_like(advantage)


def advantageous(advantage: tf.Tensor) -> tf.Tensor:
  """ABM: what did at least as well as the policy would have (P004, eq. 4)."""
  return tf.cast(advantage >= 0, tf.float32)


def exponential(advantage: tf.Tensor) -> tf.Tensor:
  """ABM's other reading: exp of the advantage, at most 20."""
  return tf.minimum(tf.exp(tf.minimum(advantage, 3.0)), 20.0)


def bootstrapped_returns(
  reward: tf.Tensor, discount: tf.Tensor, value: tf.Tensor, mask: tf.Tensor
) -> tf.Tensor:
  """R_t = r_t + g d_t R_{t+1}, where R of the last state is its value.

  Args:
    reward: [B, L].
    discount: [B, L], all that multiplies what follows.
    value: [B, L + 1], V of each state; beyond an episode's end, of its last.
    mask: [B, L], 1 within the episode, 0 beyond its end.

  Returns:
    [B, L]; beyond an episode's end, the value.
  """
  following = value[:, -1]  # [B]
  returns = []
  for t in reversed(range(reward.shape[1])):
    inside = reward[:, t] + discount[:, t] * following
    following = tf.where(mask[:, t] > 0, inside, value[:, t])
    returns.append(following)
  return tf.stack(returns[::-1], axis=1)


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
  """The mean over what the mask leaves.

  Args:
    values: [N, ...].
    mask: [N], 1 or 0.

  Returns:
    [...]; 0 where the mask leaves nothing.
  """
  values.shape[:1].assert_is_compatible_with(mask.shape)
  total = tf.einsum('n...,n->...', values, mask)
  return total / tf.maximum(tf.reduce_sum(mask), 1.0)
