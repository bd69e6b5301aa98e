"""SVG(0): a policy that climbs its critic through its samples (P004, B.6).

Heess et al. (2015), with the target critic, as P004 has it.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from agents.actor_critic.config import ActorCriticConfig
from agents.actor_critic.networks import ActorCriticNetworks
from agents.actor_critic.update import (
  IMPROVEMENT,
  ActorCritic,
  Losses,
  Metrics,
  View,
)
from agents.config import ObjectiveConfig
from agents.parts import duals
from agents.parts.gaussians import frozen
from agents.parts.snippets import masked_mean
from agents.svg.config import PriorSVGConfig


class SVG(ActorCritic):
  """The loss is minus the mean value of samples, and nothing else."""

  def __init__(
    self,
    config: ActorCriticConfig,
    networks: ActorCriticNetworks,
    objective: ObjectiveConfig,
    *_: Any,
    multipliers: Sequence[duals.Multiplier] = (),
  ):
    """Creates the optimizers, fresh; see `ActorCritic` for the arguments."""
    super().__init__(config, networks, objective, multipliers)

  def improve(self, view: View, step: tf.Tensor) -> tuple[Losses, Metrics]:
    """See `ActorCritic.improve`."""
    policy = self.networks.policy
    seed = self.random_seed(step, IMPROVEMENT)
    _, values = self.sample(policy, view.observation, seed)  # [M, N]
    value = masked_mean(tf.reduce_mean(values, axis=0), view.mask)
    std = tf.reduce_mean(policy(view.observation).stddev(), axis=-1)  # [N]
    return {'policy': -value}, {'policy_std': masked_mean(std, view.mask)}


class PriorSVG(SVG):
  """... and the KL to the prior, which is bounded."""

  def __init__(
    self,
    config: PriorSVGConfig,
    networks: ActorCriticNetworks,
    objective: ObjectiveConfig,
    *_: Any,
  ):
    """Creates the optimizers, fresh; see `Agent` for the arguments."""
    self.multiplier = duals.Multiplier(
      'multiplier', config.initial_multiplier, config.multiplier_floor
    )
    super().__init__(config, networks, objective, multipliers=[self.multiplier])
    self.config: PriorSVGConfig = config

  def improve(self, view: View, step: tf.Tensor) -> tuple[Losses, Metrics]:
    """See `ActorCritic.improve`."""
    losses, metrics = super().improve(view, step)
    (prior,) = self.networks.priors
    divergence = self.networks.policy(view.observation).kl_divergence(
      frozen(prior(view.observation))
    )  # [N]
    kl = masked_mean(divergence, view.mask)
    constraint = duals.Constraint(self.multiplier, self.config.epsilon, kl)
    metrics['multiplier'] = self.multiplier.value.read_value()
    return {
      'policy': losses['policy'] + duals.penalty(constraint),
      'dual': duals.multiplier_loss(constraint),
    }, {**metrics, 'kl_prior': kl}
