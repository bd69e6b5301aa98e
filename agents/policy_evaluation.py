"""Critic pre-training: fits a critic to the cloned policy (A.3)."""

from collections.abc import Mapping, Sequence

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.d4pg import D4PG
from datasets.types import Transition


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
