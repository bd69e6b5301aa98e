"""Policy objectives: how each action should move, and how strongly (A.7).

Every objective has one form, per example:

  loss = w * L_DPG(direction) + sum_i w_i || target_i - action ||^2

and differs in the direction, the weights and the targets alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Optional

import tensorflow as tf

from agents.config import ObjectiveConfig
from agents.parts import losses

Gradient = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""From [B, S] and [B, A] to directions [B, A]."""


class Judges(NamedTuple):
  """Whom an objective can ask; it asks only those that it needs.

  Attributes:
    filter_value: [B, S] and [B, A] to the values [B] that filter the teacher.
    teacher_gradient: [B, S] and [B, A] to the teacher's dQ*/da, [B, A]; None
      where there is no teacher.
  """

  filter_value: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
  teacher_gradient: Optional[Gradient]


class Situation(NamedTuple):
  """Where the policy is improved; all of it is held constant.

  Attributes:
    observation: [B, S].
    action: [B, A], what the policy does there.
    value: [B], Q(s, a) of the critic that is trained.
    direction: [B, A], dQ/da there, of bounded norm.
    anchor_action: [B, A], what the anchor, a frozen policy, does.
    teacher_action: [B, A], what the teacher would do; both () if not needed.
    bound: largest norm of a direction.
    alpha: scalar in [0, 1], the decaying weight.
  """

  observation: tf.Tensor
  action: tf.Tensor
  value: tf.Tensor
  direction: tf.Tensor
  anchor_action: tf.Tensor
  teacher_action: tf.Tensor
  bound: float
  alpha: tf.Tensor


class Objective(NamedTuple):
  """What is minimised in one situation.

  Attributes:
    weight: scalar or [B], of the policy gradient's loss.
    direction: [B, A], in which that loss moves the action.
    targets: (weight, target) of each squared distance; scalar or [B], [B, A].
    metrics: scalars by name.
  """

  weight: tf.Tensor
  direction: tf.Tensor
  targets: Sequence[tuple[tf.Tensor, tf.Tensor]]
  metrics: Mapping[str, tf.Tensor]


def objective(
  config: ObjectiveConfig, judges: Judges, situation: Situation
) -> Objective:
  """The objective that the configuration names.

  Args:
    config: names it.
    judges: whom it may ask.
    situation: where.

  Returns:
    Its terms, held constant.
  """
  return _OBJECTIVES[config.kind](config, judges, situation)


def loss(objective: Objective, action: tf.Tensor) -> tf.Tensor:
  """The objective's loss, to be differentiated in the action alone.

  Args:
    objective: at the states of the actions.
    action: [B, A], the policy's.

  Returns:
    [B].
  """
  total = objective.weight * losses.deterministic_policy_gradient(
    action, objective.direction
  )
  for weight, target in objective.targets:
    total += weight * losses.squared_distance(target, action)
  return total


def bounded(direction: tf.Tensor, bound: float) -> tf.Tensor:
  """Directions [B, A] whose norm is at most the bound."""
  norm = tf.norm(direction, axis=-1, keepdims=True)  # [B, 1]
  inside = direction * (bound / tf.maximum(norm, bound))
  # Squares overflow above 1.8e19, where the direction would become 0. All the
  # others keep their arithmetic, so that results stay the same, bit for bit.
  largest = tf.reduce_max(tf.abs(direction), axis=-1, keepdims=True)
  unit = direction / tf.maximum(largest, 1.0)
  unit *= bound / tf.norm(unit, axis=-1, keepdims=True)
  return tf.where(tf.math.is_inf(norm), unit, inside)


def _none(config: ObjectiveConfig, judges: Judges, at: Situation) -> Objective:
  """The policy gradient alone (P002, eq. 1)."""
  del config, judges
  return Objective(tf.constant(1.0), at.direction, (), {})


def _bc_fixed(
  config: ObjectiveConfig, judges: Judges, at: Situation
) -> Objective:
  """A fixed pull to the cloned policy (eq. 3)."""
  del judges
  return Objective(
    tf.constant(1.0),
    at.direction,
    [(tf.constant(config.weight), at.anchor_action)],
    {'anchor_distance': _distance(at.anchor_action, at)},
  )


def _decay(config: ObjectiveConfig, judges: Judges, at: Situation) -> Objective:
  """A pull that fades: to the cloned policy (eq. 4), to the last (eq. 5)."""
  del config, judges
  return Objective(
    1.0 - at.alpha,
    at.direction,
    [(at.alpha, at.anchor_action)],
    {
      'alpha': at.alpha,
      'anchor_distance': _distance(at.anchor_action, at),
    },
  )


def _teacher_action(
  config: ObjectiveConfig, judges: Judges, at: Situation
) -> Objective:
  """A fading pull to the teacher, a fixed one to the cycle before (eq. 6)."""
  del judges
  return Objective(
    1.0 - at.alpha,
    at.direction,
    [
      (tf.constant(config.between_weight), at.anchor_action),
      (at.alpha, at.teacher_action),
    ],
    {
      'alpha': at.alpha,
      'anchor_distance': _distance(at.anchor_action, at),
      'teacher_distance': _distance(at.teacher_action, at),
    },
  )


def _q_filter(
  config: ObjectiveConfig, judges: Judges, at: Situation
) -> Objective:
  """The teacher where the critic prefers it, else the gradient (eq. 7)."""
  teacher = judges.filter_value(at.observation, at.teacher_action)  # [B]
  own = at.value
  if config.filter_critic != 'online':
    own = judges.filter_value(at.observation, at.action)
  # The two values of one and the same action may differ by rounding, for
  # TensorFlow fuses their graphs differently; it is a tie all the same.
  same = tf.reduce_all(at.teacher_action == at.action, axis=-1)
  delta = tf.cast((teacher >= own) | same, tf.float32)  # [B]
  return Objective(
    1.0 - delta,
    at.direction,
    [(delta, at.teacher_action)],
    {
      'teacher_fraction': tf.reduce_mean(delta),
      'teacher_distance': _distance(at.teacher_action, at),
    },
  )


def _teacher_grad(
  config: ObjectiveConfig, judges: Judges, at: Situation
) -> Objective:
  """The teacher's gradient, which fades into the critic's (eq. 8)."""
  del config
  assert judges.teacher_gradient  # The agent holds this.
  teacher = judges.teacher_gradient(at.observation, at.action)  # [B, A]
  teacher = bounded(tf.stop_gradient(teacher), at.bound)
  unit = [tf.math.l2_normalize(g, axis=-1) for g in (teacher, at.direction)]
  cosine = tf.reduce_sum(unit[0] * unit[1], axis=-1)  # [B]
  return Objective(
    tf.constant(1.0),
    (1.0 - at.alpha) * at.direction + at.alpha * teacher,
    (),
    {'alpha': at.alpha, 'teacher_cosine': tf.reduce_mean(cosine)},
  )


def _distance(target: tf.Tensor, at: Situation) -> tf.Tensor:
  """The mean squared distance, for the log."""
  return tf.reduce_mean(losses.squared_distance(target, at.action))


_OBJECTIVES = {
  'none': _none,
  'bc_fixed': _bc_fixed,
  'bc_decay': _decay,
  'between': _decay,
  'teacher_action': _teacher_action,
  'q_filter': _q_filter,
  'teacher_grad': _teacher_grad,
}
