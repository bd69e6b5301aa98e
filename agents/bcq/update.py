"""BCQ: Q-learning on actions like the logged (Fujimoto et al. 2019).

The losses and their order are of the official code (C.2).
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.bcq.config import BatchConstrainedConfig, BCQConfig
from agents.bcq.networks import (
  LATENT_BOUND,
  BatchConstrainedNetworks,
  BCQNetworks,
)
from agents.config import ObjectiveConfig
from agents.parts import critics, vae
from agents.parts.optimizers import Group
from agents.parts.perceptrons import MLP
from agents.parts.samples import at_samples
from datasets.types import Transition

Act = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""From observations [N, S] and proposals there, [N, ...], to actions [N, A]."""

_ENCODING, CANDIDATES, IMPROVEMENT = range(3)  # What is drawn for.


class BatchConstrained(base.Agent):
  """Fits a generator, then critics; how its policy improves is a subclass's."""

  def __init__(
    self,
    config: BatchConstrainedConfig,
    networks: BatchConstrainedNetworks,
    objective: ObjectiveConfig,
    more_groups: Sequence[Group] = (),
  ):
    """Creates the optimizers, fresh.

    Args:
      config: hyper-parameters.
      networks: trained in place.
      objective: what the policy minimises.
      more_groups: what is trained beside the networks.
    """
    modules = {
      'vae': (networks.encoder, networks.decoder),
      'critic': networks.critics,
      'policy': (networks.policy,),
    }
    groups = [
      Group(
        name,
        [v for module in some for v in module.trainable_variables],
        config.learning_rate,
        config.gradient_norm,
      )
      for name, some in modules.items()
    ]
    super().__init__(config.kind, networks, [*groups, *more_groups], objective)
    self.config = config
    self.networks: BatchConstrainedNetworks = networks

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.networks
    pairs = zip(nets.critics, nets.target_critics, strict=True)
    return ((nets.policy, nets.target_policy), *pairs)

  @property
  def target_update_period(self) -> int:
    """See `Agent.target_update_period`."""
    return self.config.target_update_period

  @property
  def target_rate(self) -> float:
    """See `Agent.target_rate`."""
    return self.config.target_rate

  def update(
    self, batch: Transition, step: tf.Tensor
  ) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`; each of the three sees what the one before did."""
    return {**self.fit(batch, step), **self.improve(batch, step)}

  def fit(self, batch: Transition, step: tf.Tensor) -> dict[str, tf.Tensor]:
    """Fits the generator to what was done, then the critics; metrics."""
    nets, state = self.networks, batch.observation
    with tf.GradientTape(persistent=True) as tape:
      reconstruction, divergence = self._autoencode(batch, step)
      loss = reconstruction + self.config.kl_weight * divergence
    metrics = self.descend(tape, vae=loss)
    target = tf.stop_gradient(self.target(batch, step))  # [B]
    with tf.GradientTape(persistent=True) as tape:
      values = evaluate(nets.critics, state, batch.action)  # [B, K]
      errors = tf.math.squared_difference(values, target[:, None])
      loss = tf.reduce_sum(tf.reduce_mean(errors, axis=0))
    return {
      **metrics,
      **self.descend(tape, critic=loss),
      'reconstruction': reconstruction,
      'divergence': divergence,
    }

  @abc.abstractmethod
  def target(self, batch: Transition, step: tf.Tensor) -> tf.Tensor:
    """R + g d max_i mix_j Q'_j(s', a_i), [B]; see `best_of`."""

  def best_of(
    self, batch: Transition, proposals: tf.Tensor, act: Act
  ) -> tf.Tensor:
    """The target of some proposals, [n, B, ...], which `act` makes actions."""
    config, nets, state = self.config, self.networks, batch.next_observation

    def mixed(s: tf.Tensor, proposal: tf.Tensor) -> tf.Tensor:
      values = evaluate(nets.target_critics, s, act(s, proposal))  # [N, K]
      return critics.mix(values, config.min_weight)

    best = tf.reduce_max(at_samples(mixed, state, proposals), axis=0)  # [B]
    return batch.reward + config.discount * batch.discount * best

  @abc.abstractmethod
  def improve(self, batch: Transition, step: tf.Tensor) -> dict[str, tf.Tensor]:
    """Takes a step of the policy; metrics."""

  def latents(
    self, observation: tf.Tensor, count: int, seed: tf.Tensor
  ) -> tf.Tensor:
    """What actions like the logged are made of, [count, B, Z]."""
    shape = [count, tf.shape(observation)[0], self.networks.latent_size]
    return tf.clip_by_value(
      tf.random.stateless_normal(shape, seed), -LATENT_BOUND, LATENT_BOUND
    )

  def _autoencode(
    self, batch: Transition, step: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """The autoencoder's error and divergence, scalars."""
    nets = self.networks
    mean, std = vae.encode(nets.encoder, batch.observation, batch.action)
    noise = tf.random.stateless_normal(
      tf.shape(mean), self.random_seed(step, _ENCODING)
    )
    decoded = vae.decode(nets.decoder, batch.observation, mean + std * noise)
    return (
      tf.reduce_mean(vae.reconstruction(batch.action, decoded)),
      tf.reduce_mean(vae.divergence(mean, std)),
    )


class BCQ(BatchConstrained):
  """Improves a correction of what is generated."""

  config: BCQConfig

  def __init__(
    self,
    config: BCQConfig,
    networks: BCQNetworks,
    objective: ObjectiveConfig,
    *_: Any,
  ):
    """Creates the optimizers, fresh; see `Agent` for the arguments."""
    if objective.kind != 'none':
      raise ValueError(f'{config.kind} has no objective {objective.kind!r}.')
    super().__init__(config, networks, objective)

  def pretraining(self) -> base.Agent:
    """Itself: its generator is what clones; see `Agent.pretraining`."""
    return self

  def target(self, batch: Transition, step: tf.Tensor) -> tf.Tensor:
    """See `BatchConstrained.target`."""
    config, nets, state = self.config, self.networks, batch.next_observation
    latents = self.latents(
      state, config.num_candidates, self.random_seed(step, CANDIDATES)
    )

    def act(s: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
      generated = vae.decode(nets.decoder, s, z)
      return perturbed(nets.target_policy, s, generated, config.bound)

    return self.best_of(batch, latents, act)

  def improve(self, batch: Transition, step: tf.Tensor) -> dict[str, tf.Tensor]:
    """See `BatchConstrained.improve`; the value is the first critic's."""
    nets, state = self.networks, batch.observation
    generated = self._generate(state, 1, self.random_seed(step, IMPROVEMENT))
    with tf.GradientTape(persistent=True) as tape:
      action = perturbed(
        nets.policy, state, tf.stop_gradient(generated[0]), self.config.bound
      )
      value = tf.reduce_mean(evaluate(nets.critics[:1], state, action))
      loss = -value
    return {**self.descend(tape, policy=loss), 'value_mean': value}

  def _generate(
    self, observation: tf.Tensor, count: int, seed: tf.Tensor
  ) -> tf.Tensor:
    """Actions like the logged, [count, B, A], at observations [B, S]."""
    decoder = self.networks.decoder
    return at_samples(
      lambda s, z: vae.decode(decoder, s, z),
      observation,
      self.latents(observation, count, seed),
    )


def perturbed(
  perturbation: MLP, observation: tf.Tensor, action: tf.Tensor, bound: float
) -> tf.Tensor:
  """Generated actions, [B, A], corrected by at most the bound, in [-1, 1]."""
  correction = bound * tf.tanh(perturbation(observation, action))
  return tf.clip_by_value(action + correction, -1.0, 1.0)


def evaluate(
  members: Sequence[MLP], observation: tf.Tensor, action: tf.Tensor
) -> tf.Tensor:
  """[B, S] and [B, A] to the values of each critic, [B, K]."""
  values = [critic(observation, action) for critic in members]
  return tf.concat(values, axis=1)
