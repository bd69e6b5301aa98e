import numpy as np
import pytest
import tensorflow as tf

from agents.parts import duals, optimizers


def make(
  measured, bound=0.5, shape=(), initial=2.0, kind=duals.Multiplier, **bounds
):
  multiplier = kind('multiplier', initial, 1e-3, shape, **bounds)
  return duals.Constraint(multiplier, bound, tf.constant(measured))


@pytest.mark.parametrize('kind', [duals.Multiplier, duals.LogMultiplier])
@pytest.mark.parametrize(('measured', 'rises'), [(0.6, True), (0.4, False)])
def test_rises_iff_the_measured_is_above_the_bound(measured, rises, kind):
  constraint = make(measured, kind=kind)
  value = constraint.multiplier.value
  adam = optimizers.Adam([value], 0.1, 40.0)
  with tf.GradientTape() as tape:
    loss = duals.multiplier_loss(constraint)
  adam.apply(tape.gradient(loss, [value]))
  assert (value.numpy() > 2.0) == rises


def test_the_floor_holds():
  """Invariant B-I8."""
  constraint = make(0.0, initial=0.01)
  value = constraint.multiplier.value
  adam = optimizers.Adam([value], 1.0, 40.0)
  for _ in range(3):
    adam.apply([tf.constant(5.0)])
    assert value.numpy() == np.float32(1e-3)


def test_the_ceiling_holds():
  value = make(0.0, ceiling=2.5).multiplier.value
  optimizers.Adam([value], 1.0, 40.0).apply([tf.constant(-5.0)])
  assert value.numpy() == 2.5


def test_a_logarithm_pulls_by_its_exponential():
  constraint = make(0.9, kind=duals.LogMultiplier)
  value = constraint.multiplier.value
  assert float(duals.penalty(constraint)) == pytest.approx(0.9 * np.exp(2))
  with tf.GradientTape() as tape:
    loss = duals.multiplier_loss(constraint)
  expected = np.exp(2) * (0.5 - 0.9)
  assert float(loss) == pytest.approx(expected, rel=1e-5)
  assert float(tape.gradient(loss, value)) == pytest.approx(expected, rel=1e-5)


def test_each_trains_its_own():
  """The penalty does not train the multiplier, nor it what is measured."""
  constraint = make([0.2, 0.9], shape=[2])
  value = constraint.multiplier.value
  with tf.GradientTape(persistent=True) as tape:
    tape.watch(constraint.measured)
    penalty = duals.penalty(constraint)
    loss = duals.multiplier_loss(constraint)
  assert float(penalty) == pytest.approx(2.0 * 1.1)
  assert float(loss) == pytest.approx(2.0 * (1.0 - 1.1), abs=1e-6)
  assert tape.gradient(penalty, value) is None
  assert tape.gradient(loss, constraint.measured) is None
  np.testing.assert_allclose(tape.gradient(loss, value), [0.3, -0.4], atol=1e-6)
  np.testing.assert_allclose(tape.gradient(penalty, constraint.measured), 2.0)
