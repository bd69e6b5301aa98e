import numpy as np
import tensorflow as tf

from agents.parts import gaussians
from tests.agents.problems import SPEC


def make(min_variance=0.01):
  return gaussians.make_gaussian_policy(SPEC, (8, 8), min_variance)


def test_the_spread_has_a_floor():
  """Invariant B-I8: sigma >= 0.1 where the least variance is 0.01."""
  policy = make()
  policy.head.b.assign([0.0, 0.0, -50.0, 0.5413248])
  std = policy(tf.zeros([1, 3])).stddev().numpy()[0]
  np.testing.assert_allclose(std, [0.1, np.sqrt(1.01)], rtol=1e-5)


def test_the_mean_is_not_squashed():
  policy = make()
  policy.head.b.assign([3.0, -2.0, 0.0, 0.0])
  np.testing.assert_allclose(policy(tf.zeros([1, 3])).mean(), [[3.0, -2.0]])


def test_likelihood_is_of_all_dimensions():
  rng = np.random.default_rng(0)
  mean, std, action = rng.normal(size=(3, 5, 2)).astype(np.float32)
  std = np.abs(std) + 0.1
  expected = -0.5 * ((action - mean) / std) ** 2 - np.log(std)
  expected = (expected - 0.5 * np.log(2 * np.pi)).sum(axis=1)
  actual = gaussians.gaussian(tf.constant(mean), tf.constant(std)).log_prob(
    action
  )
  np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_divergence_is_of_all_dimensions():
  """Section 0.2 of the specification."""
  rng = np.random.default_rng(1)
  mp, mq = rng.normal(size=(2, 5, 3)).astype(np.float32)
  sp, sq = (rng.uniform(0.2, 2, size=(2, 5, 3))).astype(np.float32)
  expected = 0.5 * np.sum(
    np.log(sq**2 / sp**2) - 1 + sp**2 / sq**2 + (mq - mp) ** 2 / sq**2, axis=1
  )
  p, q = (
    gaussians.gaussian(tf.constant(m), tf.constant(s))
    for m, s in ((mp, sp), (mq, sq))
  )
  np.testing.assert_allclose(p.kl_divergence(q), expected, rtol=1e-4)


def test_raw_actions_are_those_whose_tanh_is_the_action():
  action = tf.constant([-1.0, -0.9, 0.0, 0.5, 1.0])
  raw = gaussians.raw(action)
  assert np.isfinite(raw).all()
  np.testing.assert_allclose(np.tanh(raw), action, atol=1.001e-3)
  np.testing.assert_allclose(np.tanh(raw)[1:-1], action[1:-1], atol=1e-6)


def test_the_spread_of_raw_actions_is_bounded():
  policy = gaussians.make_raw_gaussian_policy(SPEC, (8, 8))
  policy.layers[-1].b.assign([5.0, 0.0, -50.0, 50.0])
  policy = policy(tf.zeros([1, 3]))
  np.testing.assert_allclose(policy.mean(), [[5.0, 0.0]])
  np.testing.assert_allclose(
    policy.stddev(), [[np.exp(-20), np.exp(2)]], rtol=1e-5
  )


def test_frozen_is_the_same_and_constant():
  policy = make()
  with tf.GradientTape(persistent=True) as tape:
    free = policy(tf.ones([2, 3]))
    fixed = gaussians.frozen(free)
    likelihood = fixed.log_prob(tf.zeros([2, 2]))
  np.testing.assert_array_equal(free.mean(), fixed.mean())
  np.testing.assert_array_equal(free.stddev(), fixed.stddev())
  gradients = tape.gradient(likelihood, policy.trainable_variables)
  assert all(g is None for g in gradients)
