"""The networks of BCQ, and what other agents share of them."""

import abc
from collections.abc import Mapping
from typing import Any

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.bcq.config import BatchConstrainedConfig, BCQConfig
from agents.deployed.policy import Policy, Snapshot
from agents.parts import exports
from agents.parts import networks as networks_lib
from agents.parts.perceptrons import MLP, make_mlp
from datasets.types import EnvironmentSpec

LATENT_BOUND = 0.5
"""Latents beyond it would generate what is far from all that was logged."""


class BatchConstrainedNetworks(base.Networks):
  """A generator of actions like the logged, a policy, and critics.

  Attributes:
    policy: trained.
    encoder: trained.
    decoder: trained.
    critics: trained.
    target_policy: a late copy of `policy`.
    target_critics: late copies of `critics`.
  """

  def __init__(self, config: BatchConstrainedConfig, spec: EnvironmentSpec):
    super().__init__()
    width, size = spec
    latent = config.latent_size or 2 * size
    self.latent_size = latent

    def critics() -> list[MLP]:
      sizes, count = config.critic_layer_sizes, config.num_critics
      return [make_mlp(width + size, sizes, 1, 'critic') for _ in range(count)]

    sizes = config.vae_layer_sizes
    self.encoder = make_mlp(width + size, sizes, 2 * latent, 'encoder')
    self.decoder = make_mlp(width + latent, sizes, size, 'decoder')
    self.policy, self.target_policy = (
      self.make_policy(config, spec) for _ in range(2)
    )
    self.critics, self.target_critics = critics(), critics()

  @staticmethod
  @abc.abstractmethod
  def make_policy(config: Any, spec: EnvironmentSpec) -> snt.Module:
    """A policy of this agent, its variables created."""

  def begin_reinforcement(self) -> None:
    """Makes the targets equal."""
    networks_lib.copy_variables(self.policy, self.target_policy)
    for online, target in zip(self.critics, self.target_critics, strict=True):
      networks_lib.copy_variables(online, target)

  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """See `Networks.snapshot`; its critic is within the policy."""
    return Snapshot(self.export(), {}, dict(metadata))


class BCQNetworks(BatchConstrainedNetworks):
  """... whose policy corrects what was generated.

  Attributes:
    policy: the correction xi; it takes an observation and a generated action.
    latents: [n, Z], those of the deployed policy's candidates; drawn once, so
      that it is a function of the observation.
  """

  def __init__(self, config: BCQConfig, spec: EnvironmentSpec):
    super().__init__(config, spec)
    self.bound = config.bound
    noise = tf.random.normal([config.num_acting_candidates, self.latent_size])
    self.latents = tf.Variable(
      tf.clip_by_value(noise, -LATENT_BOUND, LATENT_BOUND),
      trainable=False,
      name='latents',
    )
    self.begin_reinforcement()

  @staticmethod
  def make_policy(config: BCQConfig, spec: EnvironmentSpec) -> MLP:
    """See `BatchConstrainedNetworks.make_policy`."""
    width, size = spec
    sizes = config.perturbation_layer_sizes
    return make_mlp(width + size, sizes, size, 'perturbation')

  def export(self) -> Policy:
    """See `Networks.export`."""
    return exports.best_of_decoder(
      self.decoder,
      self.policy,
      self.critics[0],
      self.latents.numpy(),
      self.bound,
    )
