"""A conditional variational autoencoder of actions, as functions of arrays.

Its encoder gives the mean and the logarithm of the spread of a latent, and its
decoder an action before its tanh; both are `agents.parts.perceptrons.MLP`.
"""

import tensorflow as tf

from agents.parts.perceptrons import MLP

_LOG_STD = (-4.0, 15.0)  # Bounds, for stability.


def encode(
  encoder: MLP, observation: tf.Tensor, action: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
  """The latent's mean and spread, [B, Z] each.

  Args:
    encoder: [B, S] and [B, A] to [B, 2 Z].
    observation: [B, S].
    action: [B, A].
  """
  mean, log_std = tf.split(encoder(observation, action), 2, axis=-1)
  return mean, tf.exp(tf.clip_by_value(log_std, *_LOG_STD))


def decode(
  decoder: MLP, observation: tf.Tensor, latent: tf.Tensor
) -> tf.Tensor:
  """The action, [B, A], in [-1, 1].

  Args:
    decoder: [B, S] and [B, Z] to [B, A].
    observation: [B, S].
    latent: [B, Z].
  """
  return tf.tanh(decoder(observation, latent))


def reconstruction(action: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
  """How far the decoded action is off, per example: a mean square, [B]."""
  decoded.shape.assert_is_compatible_with(action.shape)
  return tf.reduce_mean(tf.math.squared_difference(decoded, action), axis=-1)


def divergence(mean: tf.Tensor, std: tf.Tensor) -> tf.Tensor:
  """KL(N(mean, std^2) || N(0, 1)) per example, the mean over the latent's axes.

  Args:
    mean: [B, Z].
    std: [B, Z].

  Returns:
    [B].
  """
  terms = 1.0 + 2.0 * tf.math.log(std) - tf.square(mean) - tf.square(std)
  return -0.5 * tf.reduce_mean(terms, axis=-1)
