"""Policy objectives: how each action should move, and how strongly (A.7).

Every objective has one form, per example:

  loss = w * L_DPG(direction) + sum_i w_i || target_i - action ||^2

and differs in the direction, the weights and the targets alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Optional

import tensorflow as tf

from agents.config import ObjectiveConfig
from agents.parts import losses

Who = Literal['anchor', 'teacher']
"""Who may pull at a policy: a frozen copy of it, or a teacher."""
DISTANCES: Mapping[Who, str] = {
  'anchor': 'anchor_distance', 'teacher': 'teacher_distance'
}  # fmt: skip
"""How the mean distance to each is called in the log."""
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


class Weights(NamedTuple):
  """How much each term of an objective counts, whatever the policy is.

  Attributes:
    improvement: of what the agent itself minimises; scalar or [B].
    pulls: who pulls at the policy, and how strongly; scalar or [B].
    metrics: scalars by name.
  """

  improvement: tf.Tensor
  pulls: Sequence[tuple[Who, tf.Tensor]]
  metrics: Mapping[str, tf.Tensor]


def weigh(
  config: ObjectiveConfig,
  alpha: tf.Tensor,
  prefers_teacher: Callable[[], tf.Tensor],
) -> Weights:
  """The weights of an objective's terms (P002, equations 1 and 3 to 8).

  Args:
    config: names the objective.
    alpha: scalar in [0, 1], the decaying weight.
    prefers_teacher: gives [B], 1 where a critic likes the teacher's action no
      less than the policy's, else 0; asked only where it matters.

  Returns:
    The weights, held constant.
  """
  one, faded = tf.constant(1.0), {'alpha': alpha}
  kind = config.kind
  if kind == 'bc_fixed':  # Eq. 3.
    return Weights(one, [('anchor', tf.constant(config.weight))], {})
  if kind in ('bc_decay', 'between'):  # Eqs 4 and 5.
    return Weights(1.0 - alpha, [('anchor', alpha)], faded)
  if kind == 'teacher_action':  # Eq. 6.
    fixed = tf.constant(config.between_weight)
    return Weights(1.0 - alpha, [('anchor', fixed), ('teacher', alpha)], faded)
  if kind == 'q_filter':  # Eq. 7.
    delta = prefers_teacher()
    fraction = {'teacher_fraction': tf.reduce_mean(delta)}
    return Weights(1.0 - delta, [('teacher', delta)], fraction)
  # Eq. 1, and eq. 8, which changes the direction and no weight.
  return Weights(one, [], faded if config.uses_teacher_gradients else {})


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
  at = situation
  weights = weigh(config, at.alpha, lambda: _prefers(config, judges, at))
  actions = {'anchor': at.anchor_action, 'teacher': at.teacher_action}
  distances = {
    DISTANCES[who]: tf.reduce_mean(
      losses.squared_distance(actions[who], at.action)
    )
    for who, _ in weights.pulls
  }
  direction: tf.Tensor = at.direction
  more: Mapping[str, tf.Tensor] = {}
  if config.uses_teacher_gradients:
    direction, more = _blended(judges, at)
  return Objective(
    weights.improvement,
    direction,
    [(weight, actions[who]) for who, weight in weights.pulls],
    {**weights.metrics, **distances, **more},
  )


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


def _prefers(
  config: ObjectiveConfig, judges: Judges, at: Situation
) -> tf.Tensor:
  """Where the critic prefers the teacher's action, [B] of 1 and 0."""
  teacher = judges.filter_value(at.observation, at.teacher_action)  # [B]
  own = at.value
  if config.filter_critic != 'online':
    own = judges.filter_value(at.observation, at.action)
  # The two values of one and the same action may differ by rounding, for
  # TensorFlow fuses their graphs differently; it is a tie all the same.
  same = tf.reduce_all(at.teacher_action == at.action, axis=-1)
  return tf.cast((teacher >= own) | same, tf.float32)


def _blended(
  judges: Judges, at: Situation
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
  """The teacher's gradient, which fades into the critic's (eq. 8)."""
  assert judges.teacher_gradient  # The agent holds this.
  teacher = judges.teacher_gradient(at.observation, at.action)  # [B, A]
  teacher = bounded(tf.stop_gradient(teacher), at.bound)
  unit = [tf.math.l2_normalize(g, axis=-1) for g in (teacher, at.direction)]
  cosine = tf.reduce_sum(unit[0] * unit[1], axis=-1)  # [B]
  direction = (1.0 - at.alpha) * at.direction + at.alpha * teacher
  return direction, {'teacher_cosine': tf.reduce_mean(cosine)}
