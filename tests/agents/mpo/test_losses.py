"""The parts of MPO against NumPy, and its invariants (B.13)."""

import numpy as np
import pytest
import tensorflow as tf

from agents.mpo import losses
from agents.parts import optimizers
from agents.parts.gaussians import gaussian

VALUES = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)


def weights_of(values, eta):
  return losses.sample_weights(tf.constant(values), tf.constant(eta)).numpy()


def kl_to_uniform(weights):
  return np.sum(weights * np.log(len(weights) * weights + 1e-30), axis=0)


def dual_slope(values, eta, epsilon):
  """The dual's derivative in eta, by autodiff."""
  variable = tf.Variable(eta)
  with tf.GradientTape() as tape:
    dual = losses.temperature_dual(tf.constant(values), variable, epsilon)
    loss = tf.reduce_mean(dual)
  return tape.gradient(loss, variable).numpy()


def test_weights_are_a_softmax_over_samples():
  expected = np.exp(VALUES / 0.7)
  expected /= expected.sum(axis=0)
  np.testing.assert_allclose(weights_of(VALUES, 0.7), expected, rtol=1e-4)


def test_equal_values_teach_nothing():
  """Invariant B-I3."""
  equal = np.full((4, 8), 3.0, np.float32)
  np.testing.assert_allclose(weights_of(equal, 0.5), 0.25, rtol=1e-6)
  assert dual_slope(equal, 0.5, 0.1) == pytest.approx(0.1, abs=1e-6)


def test_a_constant_of_a_state_does_not_matter():
  """Invariant B-I3."""
  shifted = VALUES + np.arange(64, dtype=np.float32)
  np.testing.assert_allclose(
    weights_of(VALUES, 1.0), weights_of(shifted, 1.0), rtol=1e-4
  )


@pytest.mark.parametrize('epsilon', [0.1, 0.2, 1.0])
def test_the_temperature_finds_its_bound(epsilon):
  """Invariant B-I4: KL = epsilon within 1 %, and never above log M."""
  eta = tf.Variable(3.0, constraint=lambda x: tf.maximum(x, 1e-3))
  adam = optimizers.Adam([eta], 1e-2, 40.0)

  @tf.function(autograph=False)
  def step():
    with tf.GradientTape() as tape:
      dual = losses.temperature_dual(tf.constant(VALUES), eta, epsilon)
      loss = tf.reduce_mean(dual)
    adam.apply(tape.gradient(loss, [eta]))

  for _ in range(1500):
    step()
  kl = kl_to_uniform(weights_of(VALUES, eta.numpy()))
  assert kl.mean() == pytest.approx(epsilon, rel=0.01)
  assert kl.max() <= np.log(20)


@pytest.mark.parametrize('eta', [0.3, 1.0, 5.0])
def test_the_slope_of_the_dual(eta):
  """Invariant B-I5: epsilon - KL."""
  expected = 0.1 - kl_to_uniform(weights_of(VALUES, eta)).mean()
  assert dual_slope(VALUES, eta, 0.1) == pytest.approx(expected, abs=1e-4)


def policies(seed=0):
  rng = np.random.default_rng(seed)
  mean = [tf.Variable(rng.normal(size=(3, 2)).astype(np.float32))]
  std = [tf.Variable(rng.uniform(0.5, 1, (3, 2)).astype(np.float32))]
  return mean[0], std[0]


def test_one_good_sample_draws_the_mean():
  """Invariant B-I6."""
  mean, std = policies()
  target = gaussian(mean.read_value(), std.read_value())
  samples = mean + tf.random.stateless_normal([5, 3, 2], [0, 0])
  weights = tf.constant([[1.0] * 3] + [[0.0] * 3] * 4)
  with tf.GradientTape() as tape:
    moved = losses.decoupled(gaussian(mean, std), target)
    loss = losses.weighted_likelihood(weights, samples, moved)
  step = -tape.gradient(loss, mean)
  assert (np.sign(step) == np.sign(samples[0] - mean)).all()


def test_mean_and_spread_are_bounded_apart():
  """Invariant B-I6: neither KL has a gradient in the other's parameter."""
  (mean, std), (old_mean, old_std) = policies(0), policies(1)
  with tf.GradientTape(persistent=True) as tape:
    target = gaussian(old_mean, old_std)
    moved = losses.decoupled(gaussian(mean, std), target)
    of_mean, of_std = (losses.divergence(target, m) for m in moved)
  assert tape.gradient(of_mean, std) is None
  assert tape.gradient(of_std, mean) is None
  for divergence in (of_mean, of_std):
    assert tape.gradient(divergence, [old_mean, old_std]) == [None, None]
  ratio = (old_std / std).numpy()
  np.testing.assert_allclose(
    of_mean, 0.5 * ((mean - old_mean) / old_std).numpy() ** 2, rtol=1e-4
  )
  np.testing.assert_allclose(
    of_std, 0.5 * (ratio**2 - 1) - np.log(ratio), rtol=1e-3, atol=1e-6
  )


def test_weighted_likelihood():
  (mean, std), (old_mean, old_std) = policies(0), policies(1)
  rng = np.random.default_rng(2)
  samples = rng.normal(size=(4, 3, 2)).astype(np.float32)
  weights = rng.dirichlet(np.ones(4), size=3).T.astype(np.float32)
  moved = losses.decoupled(gaussian(mean, std), gaussian(old_mean, old_std))
  expected = np.zeros(3)
  for m, s in ((mean, old_std), (old_mean, std)):
    z = (samples - m.numpy()) / s.numpy()
    log = -0.5 * z**2 - np.log(s.numpy()) - 0.5 * np.log(2 * np.pi)
    expected -= (weights * log.sum(axis=2)).sum(axis=0)
  np.testing.assert_allclose(
    losses.weighted_likelihood(
      tf.constant(weights), tf.constant(samples), moved
    ),
    expected,
    rtol=1e-4,
  )
