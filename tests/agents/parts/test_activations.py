import numpy as np
import pytest
import tensorflow as tf

from agents.parts import activations


@pytest.mark.parametrize(
  ('ours', 'theirs'),
  [(activations.relu, tf.nn.relu), (activations.elu, tf.nn.elu)],
)
def test_values_and_gradients_are_those_of_tensorflow_to_the_bit(ours, theirs):
  numbers = np.random.default_rng(0).normal(size=(64, 33)).astype(np.float32)
  edges = [0.0, -0.0, 1e-45, -1e-45, 1e-30, -1e-30, 1.0, 3e38, -3e38, 1e-8]
  numbers[0, : len(edges)] = edges
  results = []
  for activation in (ours, theirs):
    x = tf.constant(numbers)
    with tf.GradientTape() as tape:
      tape.watch(x)
      y = activation(x)
    results.append((y, tape.gradient(y, x, tf.constant(numbers[::-1]))))
  for actual, expected in zip(*results, strict=True):
    np.testing.assert_array_equal(actual, expected)
