"""Losses: tensors in, one loss per example out; the caller reduces."""

import tensorflow as tf


def squared_distance(target: tf.Tensor, action: tf.Tensor) -> tf.Tensor:
  """|| sg(target) - action ||^2, summed over the last axis.

  Args:
    target: [B, A], held constant.
    action: [B, A].

  Returns:
    [B].
  """
  target.shape.assert_is_compatible_with(action.shape)
  action.shape.assert_has_rank(2)
  difference = tf.stop_gradient(target) - action
  return tf.reduce_sum(tf.square(difference), axis=-1)


def deterministic_policy_gradient(
  action: tf.Tensor, action_gradient: tf.Tensor
) -> tf.Tensor:
  """A loss whose gradient in the action is minus `action_gradient`.

  d/da 0.5 || sg(a + g) - a ||^2 = -(sg(a + g) - a) = -g.

  Args:
    action: [B, A], the policy's action.
    action_gradient: [B, A], the direction of ascent there, held constant.

  Returns:
    [B].
  """
  target = action + action_gradient
  return 0.5 * squared_distance(target, action)


def project_categorical(
  atoms: tf.Tensor,
  reward: tf.Tensor,
  discount: tf.Tensor,
  probabilities: tf.Tensor,
) -> tf.Tensor:
  """Projects the law of reward + discount * z back onto the atoms z.

  Each shifted atom, clipped to the support, shares its probability between
  its two neighbours in proportion to its nearness (the L2 projection).

  Args:
    atoms: [N], evenly spaced, increasing.
    reward: [B].
    discount: [B].
    probabilities: [B, N], of the atoms before the shift.

  Returns:
    [B, N], probabilities of the atoms.
  """
  reward.shape.assert_has_rank(1)
  discount.shape.assert_is_compatible_with(reward.shape)
  probabilities.shape.assert_is_compatible_with([*reward.shape, *atoms.shape])
  num_atoms = atoms.shape[0]
  spacing = (atoms[-1] - atoms[0]) / (num_atoms - 1)
  shifted = reward[:, None] + discount[:, None] * atoms  # [B, N]
  position = tf.clip_by_value(
    (shifted - atoms[0]) / spacing, 0.0, num_atoms - 1.0
  )
  lower = tf.minimum(tf.floor(position), num_atoms - 2.0)
  to_upper = (position - lower) * probabilities
  # Not a number has no integer: an index beyond the atoms would be written to,
  # which the kernel does not check. The result is not a number all the same.
  index = tf.clip_by_value(tf.cast(lower, tf.int32), 0, num_atoms - 2)
  return _sum_by_index(
    index, probabilities - to_upper, num_atoms
  ) + _sum_by_index(index + 1, to_upper, num_atoms)


def fraction_beyond(
  atoms: tf.Tensor,
  reward: tf.Tensor,
  discount: tf.Tensor,
  next_value: tf.Tensor,
) -> tf.Tensor:
  """The share of targets whose mean no distribution on the atoms can have.

  Args:
    atoms: [N], evenly spaced, increasing.
    reward: [B].
    discount: [B].
    next_value: [B], the mean of the target network's law.

  Returns:
    A scalar in [0, 1].
  """
  target = reward + discount * next_value  # [B]
  is_beyond = (target < atoms[0]) | (target > atoms[-1])
  return tf.reduce_mean(tf.cast(is_beyond, tf.float32))


def _sum_by_index(index: tf.Tensor, values: tf.Tensor, size: int) -> tf.Tensor:
  """Adds up each row's values, [B, N], that share an index: [B, size]."""
  # A loop over each row in one kernel: fast, and its order never changes.
  return tf.raw_ops.DenseBincount(input=index, size=size, weights=values)


def categorical_td(
  atoms: tf.Tensor,
  logits: tf.Tensor,
  reward: tf.Tensor,
  discount: tf.Tensor,
  next_logits: tf.Tensor,
) -> tf.Tensor:
  """Cross-entropy between the projected target and the predicted law.

  Args:
    atoms: [N], evenly spaced, increasing.
    logits: [B, N], the prediction, the only argument that is differentiated.
    reward: [B], the n-step reward.
    discount: [B], all that multiplies the next value.
    next_logits: [B, N], of the target network.

  Returns:
    [B].
  """
  logits.shape.assert_is_compatible_with(next_logits.shape)
  target = project_categorical(
    atoms, reward, discount, tf.nn.softmax(next_logits)
  )
  return tf.nn.softmax_cross_entropy_with_logits(
    labels=tf.stop_gradient(target), logits=logits
  )
