import numpy as np
import pytest
import sonnet as snt
import tensorflow as tf

from agents.parts import optimizers


def gradients(step):
  rng = np.random.default_rng(step)
  scale = 10.0 ** rng.integers(-8, 3)  # Some are clipped, some near epsilon.
  return [
    tf.constant(scale * rng.standard_normal(shape), tf.float32)
    for shape in ((4, 3), (3,))
  ]


def parameters():
  return [tf.Variable(tf.ones([4, 3])), tf.Variable(tf.zeros([3]))]


def test_equals_sonnets_adam():
  ours, sonnets = parameters(), parameters()
  adam = optimizers.Adam(ours, 1e-2, max_norm=40.0)
  reference = snt.optimizers.Adam(1e-2)
  for step in range(30):
    clipped, norm = tf.clip_by_global_norm(gradients(step), 40.0)
    reference.apply(clipped, sonnets)
    np.testing.assert_allclose(adam.apply(gradients(step)), norm, rtol=1e-6)
    for mine, theirs in zip(ours, sonnets, strict=True):
      np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=1e-6)


def test_gradients_match_parameters():
  adam = optimizers.Adam(parameters(), 1e-2, max_norm=40.0)
  with pytest.raises(ValueError, match=r'shorter|longer'):
    adam.apply(gradients(0)[:1])
