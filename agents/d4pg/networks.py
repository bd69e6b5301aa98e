"""The networks of D4PG."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from agents import base
from agents.config import FilterCritic
from agents.d4pg.config import D4PGConfig
from agents.deployed.policy import Policy, Snapshot
from agents.parts import exports
from agents.parts import networks as networks_lib
from datasets.types import EnvironmentSpec


class D4PGNetworks(base.Networks):
  """The networks of an agent, online and frozen.

  Attributes:
    policy: trained.
    critic: trained.
    target_policy: a late copy of `policy`.
    target_critic: a late copy of `critic`.
    initial_policy: pi_0, the cloned policy.
    previous_policy: pi_{k-1}, the policy that acts in this cycle.
    previous_critic: the critic as this cycle began.
  """

  def __init__(self, config: D4PGConfig, spec: EnvironmentSpec):
    super().__init__()

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
    self.previous_critic = critic()
    self.begin_reinforcement()
    self.begin_cycle()

  def value(
    self, filter_critic: FilterCritic
  ) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Q(s, a), [B, S] and [B, A] to [B], of one of the critics."""
    critic = {
      'online': self.critic,
      'target': self.target_critic,
      'cycle_start': self.previous_critic,
    }[filter_critic]
    return lambda s, a: critic.value(critic(s, a))

  def begin_reinforcement(self) -> None:
    """After cloning: freezes pi_0 and makes the targets equal."""
    networks_lib.copy_variables(self.policy, self.initial_policy)
    networks_lib.copy_variables(self.policy, self.target_policy)
    networks_lib.copy_variables(self.critic, self.target_critic)

  def begin_cycle(self) -> None:
    """Freezes the policy that will act in the cycle, and its critic."""
    networks_lib.copy_variables(self.policy, self.previous_policy)
    networks_lib.copy_variables(self.critic, self.previous_critic)

  def deploy(self, policy: Policy) -> None:
    """See `Networks.deploy`."""
    exports.assign(self.previous_policy, policy.arrays)

  def export(self) -> Policy:
    """See `Networks.export`."""
    return exports.policy(self.policy)

  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """See `Networks.snapshot`."""
    return exports.snapshot(self.export(), self.critic, metadata)
