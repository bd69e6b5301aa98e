"""D4PG: a distributional critic and a deterministic policy gradient.

Barth-Maron et al. (2018), with the policy objectives of growing-batch
learning.
"""

from collections.abc import Mapping, Sequence

import sonnet as snt
import tensorflow as tf

from agents import base, losses, optimizers, regularizers
from agents import networks as networks_lib
from agents.config import D4PGConfig, ObjectiveConfig
from datasets.types import EnvironmentSpec, Transition


class D4PGNetworks(tf.Module):
  """The networks of an agent, online and frozen.

  Attributes:
    policy: trained.
    critic: trained.
    target_policy: a late copy of `policy`.
    target_critic: a late copy of `critic`.
    initial_policy: pi_0, the cloned policy.
    previous_policy: pi_{k-1}, the policy that acts in this cycle.
  """

  def __init__(self, config: D4PGConfig, spec: EnvironmentSpec):
    super().__init__(name='networks')

    def policy() -> networks_lib.DeterministicPolicy:
      return networks_lib.make_policy(spec, config.policy_layer_sizes)

    def critic() -> networks_lib.CategoricalCritic:
      return networks_lib.make_critic(
        spec,
        config.critic_layer_sizes,
        config.vmin,
        config.vmax,
        config.num_atoms,
      )

    self.policy, self.critic = policy(), critic()
    self.target_policy, self.target_critic = policy(), critic()
    self.initial_policy, self.previous_policy = policy(), policy()
    self.begin_reinforcement()
    self.begin_cycle()

  def begin_reinforcement(self) -> None:
    """After cloning: freezes pi_0 and makes the targets equal."""
    networks_lib.copy_variables(self.policy, self.initial_policy)
    networks_lib.copy_variables(self.policy, self.target_policy)
    networks_lib.copy_variables(self.critic, self.target_critic)

  def begin_cycle(self) -> None:
    """Freezes the policy that will act in the cycle that begins."""
    networks_lib.copy_variables(self.policy, self.previous_policy)


def make_networks(
  config: D4PGConfig, spec: EnvironmentSpec, seed: int
) -> D4PGNetworks:
  """Networks whose first weights depend on nothing but the seed."""
  tf.random.set_seed(seed)
  return D4PGNetworks(config, spec)


class D4PG(base.Agent):
  """Improves a policy by its critic, as the objective bids."""

  def __init__(
    self,
    config: D4PGConfig,
    networks: D4PGNetworks,
    objective: ObjectiveConfig,
    total_steps: int,
  ):
    """Creates the optimizers, fresh.

    Args:
      config: hyper-parameters.
      networks: trained in place.
      objective: what the policy minimises.
      total_steps: learner steps over all cycles; alpha ends there.
    """
    super().__init__(name='d4pg')
    if total_steps < 1:
      raise ValueError(f'total_steps is {total_steps}; it must be >= 1.')
    self.config = config
    self.networks = networks
    self.policy_optimizer = optimizers.Adam(
      networks.policy.trainable_variables,
      config.policy_learning_rate,
      config.gradient_norm,
    )
    self.critic_optimizer = optimizers.Adam(
      networks.critic.trainable_variables,
      config.critic_learning_rate,
      config.gradient_norm,
    )
    self._objective = objective
    self._total_steps = total_steps

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.networks
    return (
      (nets.policy, nets.target_policy),
      (nets.critic, nets.target_critic),
    )

  @property
  def target_update_period(self) -> int:
    """See `Agent.target_update_period`."""
    return self.config.target_update_period

  def update(
    self, batch: Transition, step: tf.Tensor
  ) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    critic_gradients, critic_metrics = self.critic_gradients(
      batch, self.networks.target_policy
    )
    policy_gradients, policy_metrics = self._policy_gradients(batch, step)
    # Both gradients are of the weights before this update.
    policy_norm = self.policy_optimizer.apply(policy_gradients)
    critic_norm = self.critic_optimizer.apply(critic_gradients)
    return {
      **critic_metrics,
      **policy_metrics,
      'critic_gradient_norm': critic_norm,
      'policy_gradient_norm': policy_norm,
    }

  def critic_gradients(
    self, batch: Transition, next_policy: networks_lib.DeterministicPolicy
  ) -> tuple[Sequence[tf.Tensor], dict[str, tf.Tensor]]:
    """Gradients of the critic's loss, and metrics.

    Args:
      batch: with leading axis B.
      next_policy: acts where the target critic bootstraps.

    Returns:
      The gradients, in the order of the critic's optimizer; scalars.
    """
    critic = self.networks.critic
    next_logits = self.networks.target_critic(
      batch.next_observation, next_policy(batch.next_observation)
    )
    with tf.GradientTape() as tape:
      loss = tf.reduce_mean(
        losses.categorical_td(
          tf.constant(critic.atoms),
          critic(batch.observation, batch.action),
          batch.reward,
          self.config.discount * batch.discount,
          next_logits,
        )
      )
    gradients = tape.gradient(loss, self.critic_optimizer.parameters)
    return gradients, {'critic_loss': loss}

  def _policy_gradients(
    self, batch: Transition, step: tf.Tensor
  ) -> tuple[Sequence[tf.Tensor], dict[str, tf.Tensor]]:
    config, nets = self.config, self.networks
    at_first = config.policy_loss_observation == 'first'
    observation = batch.observation if at_first else batch.next_observation
    weights = regularizers.weights(self._objective, step, self._total_steps)
    anchors = {'initial': nets.initial_policy, 'previous': nets.previous_policy}
    targets = {name: anchors[name](observation) for name in weights.anchors}
    with tf.GradientTape() as tape:
      action = nets.policy(observation)  # [B, A]
      q, action_gradient = nets.critic.value_and_gradient(
        observation, tf.stop_gradient(action)
      )
      norm = tf.norm(action_gradient, axis=-1, keepdims=True)  # [B, 1]
      bound = config.action_gradient_norm
      direction = action_gradient * (bound / tf.maximum(norm, bound))
      distances = {
        name: losses.squared_distance(target, action)
        for name, target in targets.items()
      }
      loss = tf.reduce_mean(
        regularizers.combine(
          weights,
          losses.deterministic_policy_gradient(action, direction),
          distances,
        )
      )
    gradients = tape.gradient(loss, self.policy_optimizer.parameters)
    return gradients, {
      'policy_loss': loss,
      'q_mean': tf.reduce_mean(q),
      'action_gradient_norm': tf.reduce_mean(norm),
      'alpha': 1.0 - weights.policy,
      'anchor_distance': tf.add_n(
        [tf.zeros([]), *(tf.reduce_mean(d) for d in distances.values())]
      ),
    }


class PolicyEvaluation(base.Agent):
  """Fits an agent's critic to pi_0, before the policy takes a step."""

  def __init__(self, d4pg: D4PG):
    """Shares the agent's networks and its critic's optimizer.

    Args:
      d4pg: the agent that will go on with the critic.
    """
    super().__init__(name='policy_evaluation')
    self.d4pg = d4pg

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.d4pg.networks
    return ((nets.critic, nets.target_critic),)

  @property
  def target_update_period(self) -> int:
    """See `Agent.target_update_period`."""
    return self.d4pg.config.target_update_period

  def update(
    self, batch: Transition, step: tf.Tensor
  ) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    del step  # Nothing here is scheduled.
    d4pg = self.d4pg
    gradients, metrics = d4pg.critic_gradients(
      batch, d4pg.networks.initial_policy
    )
    norm = d4pg.critic_optimizer.apply(gradients)
    return {**metrics, 'critic_gradient_norm': norm}
