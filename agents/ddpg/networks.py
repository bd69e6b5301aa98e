"""The networks of DDPG."""

from collections.abc import Mapping
from typing import Any

from agents import base
from agents.ddpg.config import DDPGConfig
from agents.deployed.policy import Policy, Snapshot
from agents.parts import exports
from agents.parts import networks as networks_lib
from agents.parts.perceptrons import MLP, TanhMLP, make_mlp, make_tanh_mlp
from datasets.types import EnvironmentSpec


class DDPGNetworks(base.Networks):
  """A policy, a critic, and their late copies.

  Attributes:
    policy: trained.
    critic: trained; it takes an observation and an action.
    target_policy: a late copy of `policy`.
    target_critic: a late copy of `critic`.
  """

  policy: TanhMLP

  def __init__(self, config: DDPGConfig, spec: EnvironmentSpec):
    super().__init__()
    width, size = spec

    def policy() -> TanhMLP:
      return make_tanh_mlp(width, config.policy_layer_sizes, size, 'policy')

    def critic() -> MLP:
      return make_mlp(width + size, config.critic_layer_sizes, 1, 'critic')

    self.policy, self.critic = policy(), critic()
    self.target_policy, self.target_critic = policy(), critic()
    self.begin_reinforcement()

  def begin_reinforcement(self) -> None:
    """Makes the targets equal."""
    networks_lib.copy_variables(self.policy, self.target_policy)
    networks_lib.copy_variables(self.critic, self.target_critic)

  def export(self) -> Policy:
    """See `Networks.export`."""
    return exports.plain_policy(self.policy)

  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """See `Networks.snapshot`; a critic of plain layers is not deployed."""
    return Snapshot(self.export(), {}, dict(metadata))
