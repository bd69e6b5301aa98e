import numpy as np
import pytest
import tensorflow as tf

from agents.parts.discrepancy import mmd

KERNELS = ('laplacian', 'gaussian')


def samples(count, seed, shift=0.0):
  rng = np.random.default_rng(seed)
  return (shift + rng.normal(size=(count, 6, 2))).astype(np.float32)


def reference(first, second, kernel, width):
  """Pair by pair."""

  def k(x, y):
    far = np.abs(x - y) if kernel == 'laplacian' else (x - y) ** 2
    return np.exp(-far.sum() / (2 * width))

  def mean(xs, ys):
    return np.mean([k(x, y) for x in xs for y in ys])

  pairs = zip(first.swapaxes(0, 1), second.swapaxes(0, 1), strict=True)
  squares = [mean(x, x) + mean(y, y) - 2 * mean(x, y) for x, y in pairs]
  return np.sqrt(np.array(squares) + 1e-6)


@pytest.mark.parametrize('kernel', KERNELS)
@pytest.mark.parametrize('width', [1.0, 10.0])
def test_is_that_of_all_pairs(kernel, width):
  first, second = samples(5, 0), samples(3, 1, shift=0.5)
  actual = mmd(tf.constant(first), tf.constant(second), kernel, width).numpy()
  expected = reference(
    first.astype(np.float64), second.astype(np.float64), kernel, width
  )
  assert expected.min() > 0.01, 'The test is too easy.'
  np.testing.assert_allclose(actual, expected, rtol=1e-3)


@pytest.mark.parametrize('kernel', KERNELS)
def test_is_nothing_between_the_same_and_symmetric(kernel):
  first, second = tf.constant(samples(5, 0)), tf.constant(samples(4, 1))
  same = first[::-1]
  np.testing.assert_allclose(mmd(first, same, kernel, 10.0), 1e-3, rtol=0.3)
  forth, back = mmd(first, second, kernel, 10), mmd(second, first, kernel, 10)
  np.testing.assert_allclose(forth, back, rtol=1e-4)
  assert (forth.numpy() > 0.01).all()


@pytest.mark.parametrize('kernel', KERNELS)
def test_its_slope_brings_samples_together(kernel):
  first, second = tf.constant(samples(5, 0)), tf.constant(samples(5, 1, 3.0))
  with tf.GradientTape() as tape:
    tape.watch(first)
    far = mmd(first, second, kernel, 10.0)
  slope = tape.gradient(far, first)
  assert (slope.numpy().mean(axis=0) < 0).all()
  with tf.GradientTape() as tape:
    tape.watch(second)
    same = mmd(second, tf.stop_gradient(second), kernel, 10.0)
  assert np.isfinite(tape.gradient(same, second)).all()
