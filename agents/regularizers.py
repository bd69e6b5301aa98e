"""Policy objectives: a policy loss, weighed against distances to anchors.

Every objective has one form, per example:

  loss = w_policy * policy_loss + sum_i w_i * || anchor_i - action ||^2

and differs in the weights alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from agents.config import DecayForm, ObjectiveConfig


class Weights(NamedTuple):
  """The weights of an objective at one learner step.

  Attributes:
    policy: scalar, of the policy loss.
    anchors: scalars, of the squared distances to anchors, by name: 'initial',
      the cloned policy; 'previous', the policy of the cycle before.
  """

  policy: tf.Tensor
  anchors: Mapping[str, tf.Tensor]


def weights(
  config: ObjectiveConfig, step: tf.Tensor, total_steps: int
) -> Weights:
  """The weights at a learner step.

  Args:
    config: the objective.
    step: scalar int64, learner steps done over all cycles.
    total_steps: learner steps of the whole run.

  Returns:
    Scalars.
  """
  one = tf.constant(1.0)
  if config.kind == 'none':
    return Weights(one, {})
  if config.kind == 'bc_fixed':
    return Weights(one, {'initial': tf.constant(config.weight)})
  anchor = {'bc_decay': 'initial', 'between': 'previous'}[config.kind]
  decayed = alpha(step, total_steps, config.decay_rate, config.decay_form)
  return Weights(one - decayed, {anchor: decayed})


def combine(
  weights: Weights,
  policy_loss: tf.Tensor,
  distances: Mapping[str, tf.Tensor],
) -> tf.Tensor:
  """The objective.

  Args:
    weights: of this step.
    policy_loss: [B].
    distances: [B] each, for every anchor that has a weight.

  Returns:
    [B].
  """
  policy_loss.shape.assert_has_rank(1)
  total = weights.policy * policy_loss
  for name, weight in weights.anchors.items():
    distances[name].shape.assert_is_compatible_with(policy_loss.shape)
    total += weight * distances[name]
  return total


def alpha(
  step: tf.Tensor, total_steps: int, rate: float, form: DecayForm
) -> tf.Tensor:
  """The decaying weight of an anchor.

  (exp(-r x) - exp(-r)) / (1 - exp(-r)) = expm1(r (1 - x)) / expm1(r), where x
  is the fraction of the steps that are done. The second form is exactly 1 at
  the first step and exactly 0 at the end.

  Args:
    step: scalar int64, learner steps done over all cycles.
    total_steps: learner steps of the whole run; it does not change after.
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
