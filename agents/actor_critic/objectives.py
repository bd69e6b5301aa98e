"""What pulls at a Gaussian policy, beside the agent's own improvement.

P002, section 3.3: where a policy is a distribution, the squared distance to
another policy's action becomes the KL to the other policy, and that to a
teacher's action the negative log-likelihood of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from agents.actor_critic.view import Metrics
from agents.config import FilterCritic, ObjectiveConfig
from agents.parts.gaussians import frozen
from agents.parts.regularizers import DISTANCES, Who, weigh
from agents.parts.samples import at_samples
from agents.parts.snippets import masked_mean


class Where(NamedTuple):
  """N states in which a policy is improved.

  Attributes:
    observation: [N, S].
    mask: [N], 1, or 0 where it is not.
    teacher_action: [N, A], what a teacher would do; () where nobody asks.
  """

  observation: tf.Tensor
  mask: tf.Tensor
  teacher_action: Any


class Pulled(Protocol):
  """Networks whose policies are distributions."""

  policy: Any
  initial_policy: Any
  previous_policy: Any

  def value(
    self, filter_critic: FilterCritic
  ) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """One of the critics: [N, S] and [N, A] to [N]."""


def regularized(
  config: ObjectiveConfig,
  networks: Pulled,
  where: Where,
  improvement: tf.Tensor,
  alpha: tf.Tensor,
  draw: Callable[[], tf.Tensor],
) -> tuple[tf.Tensor, Metrics]:
  """An objective's loss, per state.

  Args:
    config: names the objective.
    networks: the policy is differentiated; its anchors and critics are not.
    where: the states, and what a teacher would do there if the objective asks.
    improvement: [N], what the agent itself minimises.
    alpha: scalar in [0, 1], the decaying weight.
    draw: gives samples of the policy, [M, N, A], which the Q-filter compares
      with; called for it alone.

  Returns:
    [N], and scalars by name.
  """
  policy = networks.policy(where.observation)

  def distance(who: Who) -> tf.Tensor:
    if who == 'teacher':
      return -policy.log_prob(where.teacher_action)  # [N]
    assert config.anchor, f'{config.kind} has no anchor.'
    anchor = {
      'initial': networks.initial_policy,
      'previous': networks.previous_policy,
    }[config.anchor]
    return policy.kl_divergence(frozen(anchor(where.observation)))  # [N]

  def prefers_teacher() -> tf.Tensor:
    critic = networks.value(config.filter_critic)
    teacher = critic(where.observation, where.teacher_action)  # [N]
    own = at_samples(critic, where.observation, tf.stop_gradient(draw()))
    is_preferred = teacher >= tf.reduce_mean(own, axis=0)
    return tf.cast(is_preferred, tf.float32)  # [N]

  weights = weigh(config, alpha, prefers_teacher)
  loss, metrics = weights.improvement * improvement, dict(weights.metrics)
  for who, weight in weights.pulls:
    far = distance(who)
    loss += weight * far
    metrics[DISTANCES[who]] = masked_mean(far, where.mask)
  return loss, metrics
