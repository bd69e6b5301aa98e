import numpy as np
import pytest
import tensorflow as tf

from agents.parts import critics, samples


def test_at_samples_asks_about_each_pair():
  rng = np.random.default_rng(0)
  state = rng.normal(size=(4, 3)).astype(np.float32)
  drawn = rng.normal(size=(5, 4, 2)).astype(np.float32)

  def function(s, x):
    return tf.concat([tf.reduce_sum(s, 1)[:, None] * x, x], axis=1)

  actual = samples.at_samples(function, tf.constant(state), tf.constant(drawn))
  product = state.sum(axis=1)[None, :, None] * drawn
  np.testing.assert_allclose(
    actual, np.concatenate([product, drawn], axis=2), rtol=1e-5
  )


@pytest.mark.parametrize(
  ('number', 'options', 'rows'),
  [
    (10, {}, [8, 8, 12, 12]),
    (3, {}, [4, 4, 4]),
    (1, {}, [4]),
    (10, {'groups': 1}, [40]),
  ],
)
def test_samples_are_cut_into_chains(number, options, rows):
  """As many on every machine; one where a call has a price of its own."""
  asked = []

  def function(s, x):
    asked.append(len(x))
    assert len(s) == len(x)
    return x

  drawn = tf.random.stateless_uniform([number, 4, 2], [0, 0])
  actual = samples.at_samples(function, tf.zeros([4, 3]), drawn, **options)
  np.testing.assert_array_equal(actual, drawn)
  assert asked == rows


@pytest.mark.parametrize(('weight', 'expected'), [(1, 1), (0, 4), (0.75, 1.75)])
def test_mix_goes_from_the_most_to_the_least(weight, expected):
  """Invariant C-I3."""
  values = tf.constant([[4.0, 1.0, 2.0]])
  assert critics.mix(values, weight).numpy() == pytest.approx([expected])
  same = tf.constant([[3.0, 3.0]])
  assert critics.mix(same, weight).numpy() == pytest.approx([3.0])
