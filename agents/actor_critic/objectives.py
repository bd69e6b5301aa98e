"""What pulls at a Gaussian policy, beside the agent's own improvement.

P002, section 3.3: where a policy is a distribution, the squared distance to
another policy's action becomes the KL to the other policy, and that to a
teacher's action the negative log-likelihood of it.
"""

import tensorflow as tf

from agents.actor_critic.networks import ActorCriticNetworks
from agents.actor_critic.view import Metrics, View
from agents.config import ObjectiveConfig
from agents.parts.gaussians import frozen
from agents.parts.regularizers import DISTANCES, Who, weigh
from agents.parts.samples import at_samples
from agents.parts.snippets import masked_mean


def regularized(
  config: ObjectiveConfig,
  networks: ActorCriticNetworks,
  view: View,
  improvement: tf.Tensor,
  alpha: tf.Tensor,
  samples: tf.Tensor,
) -> tuple[tf.Tensor, Metrics]:
  """An objective's loss, per state.

  Args:
    config: names the objective.
    networks: the policy is differentiated; its anchors and critics are not.
    view: the states, and what a teacher would do there if the objective asks.
    improvement: [N], what the agent itself minimises.
    alpha: scalar in [0, 1], the decaying weight.
    samples: [M, N, A], of the policy, which the Q-filter compares with.

  Returns:
    [N], and scalars by name.
  """
  policy = networks.policy(view.observation)

  def distance(who: Who) -> tf.Tensor:
    if who == 'teacher':
      return -policy.log_prob(view.teacher_action)  # [N]
    anchor = {
      'initial': networks.initial_policy,
      'previous': networks.previous_policy,
    }[config.anchor or 'previous']
    return policy.kl_divergence(frozen(anchor(view.observation)))  # [N]

  def prefers_teacher() -> tf.Tensor:
    critic = networks.value(config.filter_critic)
    teacher = critic(view.observation, view.teacher_action)  # [N]
    own = at_samples(critic, view.observation, tf.stop_gradient(samples))
    is_preferred = teacher >= tf.reduce_mean(own, axis=0)
    return tf.cast(is_preferred, tf.float32)  # [N]

  weights = weigh(config, alpha, prefers_teacher)
  loss, metrics = weights.improvement * improvement, dict(weights.metrics)
  for who, weight in weights.pulls:
    far = distance(who)
    loss += weight * far
    metrics[DISTANCES[who]] = masked_mean(far, view.mask)
  return loss, metrics
