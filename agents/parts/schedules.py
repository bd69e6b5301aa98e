"""Weights that change with the learner's steps."""

import tensorflow as tf

from agents.config import DecayForm


def alpha(
  step: tf.Tensor, total_steps: int, rate: float, form: DecayForm
) -> tf.Tensor:
  """The decaying weight of an anchor.

  (exp(-r x) - exp(-r)) / (1 - exp(-r)) = expm1(r (1 - x)) / expm1(r), where x
  is the fraction of the steps that are done. The second form is exactly 1 at
  the first step and exactly 0 at the end.

  Args:
    step: scalar int64, learner steps done over all cycles.
    total_steps: learner steps over which it falls; it does not change after.
    rate: r.
    form: 'normalised' as above, or 'plain', exp(-r x).

  Returns:
    Scalar float32 in [0, 1].
  """
  done = tf.cast(tf.minimum(step, total_steps), tf.float64) / total_steps
  if form == 'plain':
    return tf.cast(tf.exp(-rate * done), tf.float32)
  left = tf.math.expm1(rate * (1.0 - done))
  return tf.cast(left / tf.math.expm1(rate * tf.ones_like(done)), tf.float32)
