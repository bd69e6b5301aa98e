import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest
import tensorflow as tf

from agents.parts import schedules


def alpha(step, total, rate, form='normalised'):
  step = tf.constant(step, tf.int64)
  return float(schedules.alpha(step, total, rate, form))


class TestAlpha:
  """Invariant A-I6 and the table of section A.6."""

  @pytest.mark.parametrize(
    ('rate', 'expected'),
    [
      (1, [1.0000, 0.8495, 0.6501, 0.3775, 0.1653, 0.0612, 0]),
      (5, [1.0000, 0.6039, 0.2817, 0.0759, 0.0169, 0.0044, 0]),
    ],
  )
  def test_table(self, rate, expected):
    steps = [0, 100, 250, 500, 750, 900, 1000]
    actual = [alpha(n, 1000, rate) for n in steps]
    np.testing.assert_allclose(actual, expected, atol=5e-5)

  @hypothesis.given(
    total=st.integers(2, 1_000_000),
    fraction=st.floats(0, 1),
    rate=st.floats(0.1, 10),
  )
  @hypothesis.settings(max_examples=50, deadline=None)
  def test_falls_from_one_to_zero(self, total, fraction, rate):
    assert alpha(0, total, rate) == 1
    assert alpha(total, total, rate) == 0
    step = min(1 + int(fraction * total), total - 1)
    assert 0 < alpha(step, total, rate) < 1
    assert alpha(step, total, rate) <= alpha(step - 1, total, rate)

  @hypothesis.given(fraction=st.floats(0.001, 0.999))
  @hypothesis.settings(max_examples=30, deadline=None)
  def test_fast_is_below_slow(self, fraction):
    step = int(fraction * 100_000)
    assert alpha(step, 100_000, 5.0) < alpha(step, 100_000, 1.0)

  def test_stays_at_its_end(self):
    assert alpha(101, 100, 1.0) == 0
    assert alpha(10**15, 100, 1.0) == 0

  def test_plain_form(self):
    np.testing.assert_allclose(
      [alpha(n, 100, 2.0, 'plain') for n in (0, 50, 100)],
      np.exp([0, -1, -2]),
      rtol=1e-6,
    )

  def test_works_in_a_graph(self):
    graph = tf.function(
      lambda step: schedules.alpha(step, 10, 1.0, 'normalised')
    )
    for n in range(11):
      step = tf.constant(n, tf.int64)
      assert float(graph(step)) == alpha(n, 10, 1.0)
