"""The one network of behaviour cloning."""

from collections.abc import Mapping
from typing import Any

from agents import base
from agents.bc.config import BCConfig
from agents.deployed.policy import Policy, Snapshot
from agents.parts import exports
from agents.parts import networks as networks_lib
from datasets.types import EnvironmentSpec


class BCNetworks(base.Networks):
  """A deterministic policy."""

  def __init__(self, config: BCConfig, spec: EnvironmentSpec):
    super().__init__()
    self.policy = networks_lib.make_policy(spec, config.policy_layer_sizes)

  def export(self) -> Policy:
    """See `Networks.export`."""
    return exports.policy(self.policy)

  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """See `Networks.snapshot`; it has no critic."""
    return Snapshot(self.export(), {}, dict(metadata))
