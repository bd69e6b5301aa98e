"""Policies that are Gaussian in every dimension, and what is asked of them."""

from collections.abc import Sequence
from typing import TypeAlias

import sonnet as snt
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from agents.deployed.best_of import LOG_DEVIATION
from agents.parts.networks import LayerNormMLP
from agents.parts.perceptrons import MLP
from datasets.types import EnvironmentSpec

Gaussian: TypeAlias = tfd.Independent
"""Normal in each dimension of the last axis: one event of A numbers."""


class GaussianPolicy(snt.Module):
  """Observations to a diagonal Gaussian of actions, not squashed (P004, B.2).

  Attributes:
    min_variance: of each dimension.
  """

  def __init__(
    self, layer_sizes: Sequence[int], action_size: int, min_variance: float
  ):
    super().__init__(name='gaussian_policy')
    self.min_variance = min_variance
    self.torso = LayerNormMLP(layer_sizes)
    # Nearly zero weights: the first means are nearly zero everywhere.
    self.head = snt.Linear(
      2 * action_size, w_init=snt.initializers.VarianceScaling(scale=1e-4)
    )

  def __call__(self, observation: tf.Tensor) -> Gaussian:
    """Maps [B, S] to a distribution of [B, A]."""
    mean, raw = tf.split(self.head(self.torso(observation)), 2, axis=-1)
    std = tf.sqrt(self.min_variance + tf.square(tf.nn.softplus(raw)))
    return gaussian(mean, std)


def gaussian(mean: tf.Tensor, std: tf.Tensor) -> Gaussian:
  """The distribution of these, [..., A] each."""
  return tfd.Independent(tfd.Normal(mean, std), reinterpreted_batch_ndims=1)


def frozen(distribution: Gaussian) -> Gaussian:
  """The same distribution, held constant."""
  return gaussian(
    tf.stop_gradient(distribution.mean()),
    tf.stop_gradient(distribution.stddev()),
  )


def make_gaussian_policy(
  spec: EnvironmentSpec, layer_sizes: Sequence[int], min_variance: float
) -> GaussianPolicy:
  """A policy for a task, its variables created."""
  policy = GaussianPolicy(layer_sizes, spec.action_size, min_variance)
  policy(tf.zeros([1, spec.observation_size]))
  return policy


_NEARLY_1 = 0.999
"""Where an action counts as being at its bound, which no raw one reaches."""


class RawGaussianPolicy(MLP):
  """Observations to a diagonal Gaussian of raw actions, by plain layers.

  An action is the tanh of a raw one. Both know the same of each other: the KL
  of two such policies is that of their Gaussians, and the likelihoods of an
  action and of its raw one differ by what depends on no policy.
  """

  def __call__(self, *inputs: tf.Tensor) -> Gaussian:
    """Maps [B, S] to a distribution of [B, A]."""
    mean, log_std = tf.split(super().__call__(*inputs), 2, axis=-1)
    return gaussian(mean, tf.exp(tf.clip_by_value(log_std, *LOG_DEVIATION)))


def raw(action: tf.Tensor) -> tf.Tensor:
  """The raw actions whose tanh these are; those at a bound, nearly."""
  return tf.atanh(tf.clip_by_value(action, -_NEARLY_1, _NEARLY_1))


def make_raw_gaussian_policy(
  spec: EnvironmentSpec, layer_sizes: Sequence[int]
) -> RawGaussianPolicy:
  """... for a task, its variables created."""
  policy = RawGaussianPolicy(layer_sizes, 2 * spec.action_size, 'policy')
  policy(tf.zeros([1, spec.observation_size]))
  return policy
