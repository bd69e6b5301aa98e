"""The networks of BEAR."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from agents.actor_critic.networks import ActorCriticNetworks
from agents.bear.config import BEARConfig
from agents.deployed.policy import Policy, Snapshot
from agents.parts import exports
from datasets.types import EnvironmentSpec


class BEARNetworks(ActorCriticNetworks):
  """Acts with the sample that its critic likes best.

  Attributes:
    noise: [n, A], standard normal; drawn once, so that what is deployed is a
      function of the observation.
  """

  def __init__(self, config: BEARConfig, spec: EnvironmentSpec):
    super().__init__(config, spec)
    shape = [config.num_acting_samples, spec.action_size]
    self.noise = tf.Variable(
      tf.random.normal(shape), trainable=False, name='noise'
    )

  def export(self) -> Policy:
    """See `Networks.export`."""
    return exports.best_of_gaussian(
      self.policy, self.critic, self.noise.numpy()
    )

  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """See `Networks.snapshot`."""
    return exports.snapshot(self.export(), self.critic, metadata)
