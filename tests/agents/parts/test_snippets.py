import hypothesis
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest
import tensorflow as tf

from agents.parts import snippets

ADVANTAGE = np.array([[-1.0, 0.0, 1e-6], [3.5, -0.0, 2.0]], np.float32)
FLOATS = st.floats(-10, 10, width=32, allow_subnormal=False)


def arrays(*shape):
  return hnp.arrays(np.float32, shape, elements=FLOATS)


def reference_returns(reward, discount, value, lengths):
  """R of each valid step, by its definition; NaN elsewhere."""
  returns = np.full(reward.shape, np.nan)
  for b, length in enumerate(lengths):
    for t in range(length):
      total, weight = 0.0, 1.0
      for j in range(t, length):
        total += weight * reward[b, j]
        weight *= discount[b, j]
      returns[b, t] = total + weight * value[b, length]
  return returns


@hypothesis.given(
  arrays(3, 4),
  hnp.arrays(np.float32, (3, 4), elements=st.sampled_from([0.0, 0.5, 0.75])),
  arrays(3, 5),
  st.lists(st.integers(1, 4), min_size=3, max_size=3),
)
def test_returns(reward, discount, value, lengths):
  mask = np.arange(4) < np.array(lengths)[:, None]
  for row, length in zip(value, lengths, strict=True):
    row[length:] = row[length]  # V of the last state, which is repeated.
  actual = snippets.bootstrapped_returns(
    *map(tf.constant, (reward, discount, value, mask.astype(np.float32)))
  ).numpy()
  expected = reference_returns(reward, discount, value, lengths)
  np.testing.assert_allclose(actual[mask], expected[mask], rtol=1e-4, atol=1e-4)
  np.testing.assert_array_equal(actual[~mask], value[:, :-1][~mask])


def test_weights_of_the_filter_are_0_or_1():
  """Invariant B-I1: an advantage of 0 counts."""
  weights = snippets.advantageous(tf.constant(ADVANTAGE)).numpy()
  np.testing.assert_array_equal(weights, [[0, 1, 1], [1, 1, 1]])


def test_a_shift_of_rewards_does_not_change_the_filter():
  """Invariant B-I1: r + c goes with V + c / (1 - g)."""
  rng = np.random.default_rng(0)
  gamma, shift = 0.9, 2.0
  reward, value = rng.normal(size=(64, 5)), rng.normal(size=(64, 6))
  discount, mask = np.full((64, 5), gamma), np.ones((64, 5))
  weights = []
  for c in (0.0, shift):
    returns = snippets.bootstrapped_returns(
      *(
        tf.constant(x, tf.float64)
        for x in (reward + c, discount, value + c / (1 - gamma), mask)
      )
    )
    baseline = value[:, :-1] + c / (1 - gamma)
    weights.append(snippets.advantageous(returns - baseline).numpy())
  assert 0.2 < weights[0].mean() < 0.8
  np.testing.assert_array_equal(*weights)


def test_everything_counts_for_the_behaviour_model():
  np.testing.assert_array_equal(
    snippets.everything(tf.constant(ADVANTAGE)), np.ones((2, 3))
  )


def test_the_exponential_is_bounded():
  weights = snippets.exponential(tf.constant([-1.0, 0.0, 2.9, 1e9])).numpy()
  np.testing.assert_allclose(
    weights, [np.exp(-1), 1, np.exp(2.9), 20], rtol=1e-5
  )


@pytest.mark.parametrize('shape', [(5,), (5, 2)])
def test_masked_mean(shape):
  values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
  mask = np.array([1, 0, 1, 1, 0], np.float32)
  np.testing.assert_allclose(
    snippets.masked_mean(tf.constant(values), tf.constant(mask)),
    values[mask > 0].mean(axis=0),
    rtol=1e-5,
  )


def test_the_mean_of_nothing_is_0():
  assert snippets.masked_mean(tf.ones([3]), tf.zeros([3])) == 0
