"""The parts of MPO as functions of arrays (Abdolmaleki et al. 2018; P004, B.5).

N states, M samples of a proposal at each. Per-state results; the caller takes
the mean over the states that count.
"""

import math

import tensorflow as tf

from agents.parts.gaussians import Gaussian, frozen, gaussian


def sample_weights(values: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
  """E-step: how much each sample counts; softmax over the samples.

  Args:
    values: [M, N], Q of each sample.
    temperature: scalar, eta.

  Returns:
    [M, N], held constant; sums to 1 over M.
  """
  values.shape.assert_has_rank(2)
  # tf.nn.softmax of the first axis would transpose twice, 5 % of an update.
  scaled = values / temperature
  log_sum = tf.reduce_logsumexp(scaled, axis=0, keepdims=True)
  return tf.stop_gradient(tf.exp(scaled - log_sum))


def temperature_dual(
  values: tf.Tensor, temperature: tf.Tensor, epsilon: float
) -> tf.Tensor:
  """What the temperature minimises (P004, eq. 9, with a log of the mean).

  eta * (epsilon + log mean_m exp(q_m / eta)), whose derivative in eta is
  epsilon - KL(weights || uniform).

  Args:
    values: [M, N], held constant.
    temperature: scalar, eta, which is differentiated.
    epsilon: bound of that KL.

  Returns:
    [N].
  """
  values = tf.stop_gradient(values)
  log_mean = tf.reduce_logsumexp(values / temperature, axis=0) - math.log(
    values.shape[0]
  )
  return temperature * (epsilon + log_mean)


def decoupled(online: Gaussian, target: Gaussian) -> tuple[Gaussian, Gaussian]:
  """Two policies of which one moves its mean alone, the other its spread.

  Args:
    online: of states [N], differentiated.
    target: of the same states, held constant.

  Returns:
    The online mean with the target's spread, and the target's mean with the
    online spread.
  """
  target = frozen(target)
  return (
    gaussian(online.mean(), target.stddev()),
    gaussian(target.mean(), online.stddev()),
  )


def weighted_likelihood(
  weights: tf.Tensor, samples: tf.Tensor, policies: tuple[Gaussian, Gaussian]
) -> tf.Tensor:
  """M-step: minus the weighted log-likelihood, of mean and spread apart.

  Args:
    weights: [M, N].
    samples: [M, N, A].
    policies: as `decoupled` gives them.

  Returns:
    [N].
  """
  samples.shape[:2].assert_is_compatible_with(weights.shape)
  likelihood = tf.add_n([p.log_prob(samples) for p in policies])  # [M, N]
  return -tf.reduce_sum(weights * likelihood, axis=0)


def divergence(target: Gaussian, moved: Gaussian) -> tf.Tensor:
  """KL(target || moved) of each dimension, [N, A]; the target is constant."""
  return frozen(target).distribution.kl_divergence(moved.distribution)
