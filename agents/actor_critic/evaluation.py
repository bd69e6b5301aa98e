"""Policy evaluation by itself, as cycle 0 ends with it."""

from collections.abc import Mapping, Sequence

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.actor_critic.update import ActorCritic
from datasets.types import Snippet


class PolicyEvaluation(base.Agent):
  """Fits an agent's critic to pi_0, before the policy takes a step (A.3)."""

  def __init__(self, agent: ActorCritic):
    """Shares the agent's networks and its critic's optimizer."""
    super().__init__('policy_evaluation', agent.networks)
    self.agent = agent

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.agent.networks
    return ((nets.critic, nets.target_critic),)

  @property
  def target_update_period(self) -> int:
    """See `Agent.target_update_period`."""
    return self.agent.config.target_update_period

  def update(self, batch: Snippet, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    agent = self.agent
    view = agent.look(
      batch._replace(teacher_action=batch.action),  # Nobody asks, as yet.
      step,
      agent.networks.initial_policy,
    )
    with tf.GradientTape(persistent=True) as tape:
      loss = agent.critic_loss(view)
    return agent.descend(tape, critic=loss)
