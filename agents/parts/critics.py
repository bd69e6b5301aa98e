"""Critics whose output is the value itself, one or several."""

from collections.abc import Sequence

import sonnet as snt
import tensorflow as tf

from agents.parts.networks import LayerNormMLP
from datasets.types import EnvironmentSpec


class ScalarCritic(snt.Module):
  """Q(s, a) as one number."""

  def __init__(self, layer_sizes: Sequence[int]):
    super().__init__(name='critic')
    self.torso = LayerNormMLP(layer_sizes)
    self.head = snt.Linear(1)

  def __call__(self, observation: tf.Tensor, action: tf.Tensor) -> tf.Tensor:
    """Maps [B, S] and [B, A] to [B]."""
    inputs = tf.concat([observation, action], axis=-1)
    return self.head(self.torso(inputs))[:, 0]


def make_scalar_critic(
  spec: EnvironmentSpec, layer_sizes: Sequence[int]
) -> ScalarCritic:
  """A critic for a task, its variables created."""
  critic = ScalarCritic(layer_sizes)
  critic(tf.zeros([1, spec.observation_size]), tf.zeros([1, spec.action_size]))
  return critic


def mix(values: tf.Tensor, min_weight: float) -> tf.Tensor:
  """What an ensemble thinks: between its most and its least hopeful member.

  Args:
    values: [..., K].
    min_weight: of the least; the rest is the most's.

  Returns:
    [...].
  """
  least = tf.reduce_min(values, axis=-1)
  most = tf.reduce_max(values, axis=-1)
  return min_weight * least + (1.0 - min_weight) * most
