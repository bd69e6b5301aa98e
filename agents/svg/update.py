"""SVG(0): a policy that climbs its critic through its samples (P004, B.6).

Heess et al. (2015), with the target critic, as P004 has it.
"""

from typing import Optional

import tensorflow as tf

from agents.actor_critic.networks import ActorCriticNetworks
from agents.actor_critic.update import IMPROVEMENT, ActorCritic
from agents.actor_critic.view import Improvement, View
from agents.config import ObjectiveConfig
from agents.parts import duals
from agents.parts.gaussians import frozen
from agents.parts.regularizers import Gradient, bounded
from agents.parts.samples import at_samples
from agents.parts.snippets import masked_mean
from agents.svg.config import PriorSVGConfig


class SVG(ActorCritic):
  """The loss is minus the mean value of samples, and nothing else."""

  def improve(self, view: View, step: tf.Tensor) -> Improvement:
    """See `ActorCritic.improve`."""
    policy = self.networks.policy
    seed = self.random_seed(step, IMPROVEMENT)
    actions, values = self.sample(policy, view.observation, seed)  # [M, N, …]
    loss = -tf.reduce_mean(values, axis=0)  # [N]
    metrics = {}
    if self.objective.uses_teacher_gradients:
      direction = self._blended(view, tf.stop_gradient(actions), step)
      loss = -tf.reduce_mean(tf.reduce_sum(direction * actions, -1), axis=0)
      metrics = {'alpha': self.alpha(step)}
    std = tf.reduce_mean(policy(view.observation).stddev(), axis=-1)  # [N]
    metrics['policy_std'] = masked_mean(std, view.mask)
    return Improvement(loss, [], tf.zeros([]), metrics)

  def _blended(
    self, view: View, actions: tf.Tensor, step: tf.Tensor
  ) -> tf.Tensor:
    """Where samples should go, [M, N, A] (P002, eq. 8); a constant.

    The critic's gradient and the teacher's are of any scale: the norm of each
    is at most 1, as it is for D4PG.
    """
    assert self.teacher_gradient  # The base class holds this.
    critic, alpha = self.networks.target_critic, self.alpha(step)
    with tf.GradientTape() as tape:
      tape.watch(actions)
      values = at_samples(critic, view.observation, actions)
    own = tape.gradient(values, actions)
    # A teacher may be a service, which is asked once.
    theirs = at_samples(
      self.teacher_gradient, view.observation, actions, groups=1
    )
    return tf.stop_gradient(
      (1.0 - alpha) * bounded(own, 1.0) + alpha * bounded(theirs, 1.0)
    )


class PriorSVG(SVG):
  """... and the KL to the prior, which is bounded."""

  def __init__(
    self,
    config: PriorSVGConfig,
    networks: ActorCriticNetworks,
    objective: ObjectiveConfig,
    total_steps: int = 1,
    teacher_gradient: Optional[Gradient] = None,
  ):
    """Creates the optimizers, fresh; see `ActorCritic` for the arguments."""
    self.multiplier = duals.Multiplier(
      'multiplier', config.initial_multiplier, config.multiplier_floor
    )
    super().__init__(
      config, networks, objective, total_steps, teacher_gradient,
      [self.multiplier],
    )  # fmt: skip
    self.config: PriorSVGConfig = config

  def improve(self, view: View, step: tf.Tensor) -> Improvement:
    """See `ActorCritic.improve`."""
    plain = super().improve(view, step)
    (prior,) = self.networks.priors
    divergence = self.networks.policy(view.observation).kl_divergence(
      frozen(prior(view.observation))
    )  # [N]
    kl = masked_mean(divergence, view.mask)
    constraint = duals.Constraint(self.multiplier, self.config.epsilon, kl)
    multiplier = self.multiplier.value.read_value()
    return plain._replace(
      constraints=[constraint],
      metrics={**plain.metrics, 'kl_prior': kl, 'multiplier': multiplier},
    )
