"""DDPG: a critic of one number, and a policy that climbs it.

Lillicrap et al. (2016), with the plain layers and the order of the code that
made the logs of BCQ (C.5).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.config import ObjectiveConfig
from agents.ddpg.config import DDPGConfig
from agents.ddpg.networks import DDPGNetworks
from agents.parts.optimizers import Group
from datasets.types import Transition


class DDPG(base.Agent):
  """Fits the critic, then the policy to what the critic has become."""

  def __init__(
    self,
    config: DDPGConfig,
    networks: DDPGNetworks,
    objective: ObjectiveConfig,
    *_: Any,
  ):
    """Creates the optimizers, fresh; see `Agent` for the arguments."""
    if objective.kind != 'none':
      raise ValueError(f'{config.kind} has no objective {objective.kind!r}.')
    rate, norm = config.learning_rate, config.gradient_norm
    groups = [
      Group('policy', networks.policy.trainable_variables, rate, norm),
      Group('critic', networks.critic.trainable_variables, rate, norm),
    ]
    super().__init__(config.kind, networks, groups)
    self.config = config
    self.networks: DDPGNetworks = networks

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.networks
    return (nets.policy, nets.target_policy), (nets.critic, nets.target_critic)

  @property
  def target_rate(self) -> float:
    """See `Agent.target_rate`."""
    return self.config.target_rate

  def update(
    self, batch: Transition, step: tf.Tensor
  ) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    del step  # Nothing here is scheduled or drawn.
    with tf.GradientTape(persistent=True) as tape:
      critic_loss = self.critic_loss(batch)
    metrics = self.descend(tape, critic=critic_loss)
    with tf.GradientTape(persistent=True) as tape:
      policy_loss = self.policy_loss(batch)
    return {**metrics, **self.descend(tape, policy=policy_loss)}

  def critic_loss(self, batch: Transition) -> tf.Tensor:
    """Mean (r + g d Q'(s', pi'(s')) - Q(s, a))^2, a scalar."""
    nets, state = self.networks, batch.next_observation
    following = nets.target_critic(state, nets.target_policy(state))[:, 0]
    target = batch.reward + self.config.discount * batch.discount * following
    value = nets.critic(batch.observation, batch.action)[:, 0]  # [B]
    return tf.reduce_mean(
      tf.math.squared_difference(value, tf.stop_gradient(target))
    )

  def policy_loss(self, batch: Transition) -> tf.Tensor:
    """-mean Q(s, pi(s)), a scalar."""
    nets, state = self.networks, batch.observation
    return -tf.reduce_mean(nets.critic(state, nets.policy(state)))
