"""D4PG: a distributional critic and a deterministic policy gradient.

Barth-Maron et al. (2018), with the policy objectives of growing-batch
learning.
"""

from collections.abc import Mapping, Sequence
from typing import Optional

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.config import ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from agents.d4pg.networks import D4PGNetworks
from agents.parts import losses, regularizers, schedules
from agents.parts import networks as networks_lib
from agents.parts.optimizers import Group
from datasets.types import Transition


class D4PG(base.Agent):
  """Improves a policy by its critic, as the objective bids."""

  def __init__(
    self,
    config: D4PGConfig,
    networks: D4PGNetworks,
    objective: ObjectiveConfig,
    total_steps: int,
    teacher_gradient: Optional[regularizers.Gradient] = None,
  ):
    """Creates the optimizers, fresh.

    Args:
      config: hyper-parameters.
      networks: trained in place.
      objective: what the policy minimises.
      total_steps: learner steps over all cycles; alpha ends there.
      teacher_gradient: [B, S] and [B, A] to the teacher's dQ*/da, [B, A],
        called while the graph is made; for 'teacher_grad'.
    """
    if total_steps < 1:
      raise ValueError(f'total_steps is {total_steps}; it must be >= 1.')
    policy, critic = networks.policy, networks.critic
    super().__init__(
      'd4pg',
      networks,
      [
        Group(
          'policy',
          policy.trainable_variables,
          config.policy_learning_rate,
          config.gradient_norm,
        ),
        Group(
          'critic',
          critic.trainable_variables,
          config.critic_learning_rate,
          config.gradient_norm,
        ),
      ],
      objective,
    )
    self.config = config
    self.networks: D4PGNetworks = networks
    if objective.uses_teacher_gradients and teacher_gradient is None:
      raise ValueError(f'{objective.kind} needs a teacher_gradient.')
    if objective.uses_teacher_actions and (
      config.policy_loss_observation != 'first'
    ):
      raise ValueError(
        f"{objective.kind} needs policy_loss_observation='first': there the "
        f'teacher was asked; it is {config.policy_loss_observation!r}.'
      )
    self._total_steps = total_steps
    self._teacher_gradient = teacher_gradient

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.networks
    return (nets.policy, nets.target_policy), (nets.critic, nets.target_critic)

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
    norms = self.apply(policy=policy_gradients, critic=critic_gradients)
    return {**critic_metrics, **policy_metrics, **norms}

  def pretraining(self) -> base.Agent:
    """See `Agent.pretraining`."""
    return PolicyEvaluation(self)

  def anchor_actions(self, batch: Transition) -> tf.Tensor:
    """What the objective's anchor does where the policy is improved.

    The anchor is frozen for a cycle. So these actions, `batch.anchor_action`
    of an update, are computed once a cycle and not once an update.

    Args:
      batch: with leading axis B.

    Returns:
      [B, A].
    """
    assert self.objective.anchor, f'{self.objective.kind} has no anchor.'
    nets = self.networks
    anchor = {'initial': nets.initial_policy, 'previous': nets.previous_policy}
    return anchor[self.objective.anchor](self._improved_at(batch))

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
    gradients = tape.gradient(loss, self.parameters('critic'))
    clipped = losses.fraction_beyond(
      critic.atoms,
      batch.reward,
      self.config.discount * batch.discount,
      critic.value(next_logits),
    )
    return gradients, {'critic_loss': loss, 'clipped_fraction': clipped}

  def _policy_gradients(
    self, batch: Transition, step: tf.Tensor
  ) -> tuple[Sequence[tf.Tensor], dict[str, tf.Tensor]]:
    config, nets = self.config, self.networks
    observation = self._improved_at(batch)
    with tf.GradientTape() as tape:
      action = nets.policy(observation)  # [B, A]
      with tape.stop_recording():
        q, gradient = nets.critic.value_and_gradient(observation, action)
        situation = regularizers.Situation(
          observation,
          action,
          q,
          regularizers.bounded(gradient, config.action_gradient_norm),
          batch.anchor_action,
          batch.teacher_action,
          config.action_gradient_norm,
          self._alpha(step),
        )
        objective = regularizers.objective(
          self.objective, self._judges(), situation
        )
      loss = tf.reduce_mean(regularizers.loss(objective, action))
    gradients = tape.gradient(loss, self.parameters('policy'))
    return gradients, {
      'policy_loss': loss,
      'q_mean': tf.reduce_mean(q),
      'action_gradient_norm': tf.reduce_mean(tf.norm(gradient, axis=-1)),
      **objective.metrics,
    }

  def _improved_at(self, batch: Transition) -> tf.Tensor:
    is_first = self.config.policy_loss_observation == 'first'
    return batch.observation if is_first else batch.next_observation

  def _judges(self) -> regularizers.Judges:
    value = self.networks.value(self.objective.filter_critic)
    return regularizers.Judges(value, self._teacher_gradient)

  def _alpha(self, step: tf.Tensor) -> tf.Tensor:
    rate, form = self.objective.decay_rate, self.objective.decay_form
    return schedules.alpha(step, self._total_steps, rate, form)


class PolicyEvaluation(base.Agent):
  """Fits an agent's critic to pi_0, before the policy takes a step (A.3)."""

  def __init__(self, d4pg: D4PG):
    """Shares the agent's networks and its critic's optimizer.

    Args:
      d4pg: the agent that will go on with the critic.
    """
    super().__init__('policy_evaluation', d4pg.networks)
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
    return {**metrics, **d4pg.apply(critic=gradients)}
