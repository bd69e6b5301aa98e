"""Teachers that are made worse."""

import time

import numpy as np
import pytest

from teachers import degraded, registry
from teachers.degraded import Degraded
from tests.teachers.contract import TeacherContract
from tests.teachers.examples import TASK, Constant, Tanh, Towards

MANY = np.random.default_rng(0).normal(size=(20_000, 3)).astype(np.float32)
ADDRESS = 'teachers.degraded:make?teacher=tests.teachers.examples:make'


class TestOfActions(TeacherContract):
  def make_teacher(self):
    return Degraded(Tanh(), noise=0.3, wrong_side=0.2)


class TestOfGradients(TeacherContract):
  def make_teacher(self):
    return Degraded(Towards(), noise=0.3, wrong_side=0.2, seed=7)


class TestOfBoth(TeacherContract):
  def make_teacher(self):
    return registry.load(f'{ADDRESS}&noise=0.1&delay=0.001', TASK)


def test_noise_is_gaussian_in_every_dimension():
  actions = Degraded(Constant((0, 0)), noise=0.2).actions(MANY)
  np.testing.assert_allclose(actions.mean(axis=0), 0, atol=0.01)
  np.testing.assert_allclose(actions.std(axis=0), 0.2, rtol=0.03)
  assert abs(np.corrcoef(actions.T)[0, 1]) < 0.03
  within = np.mean(np.abs(actions) < 0.2, axis=0)
  np.testing.assert_allclose(within, 0.683, atol=0.02)


def test_noise_of_gradients_is_relative_to_their_norm():
  teacher = Degraded(Constant((0, 0), (30, 40)), noise=0.1)
  gradients = teacher.action_gradients(MANY, MANY[:, :2])
  np.testing.assert_allclose(gradients.mean(axis=0), [30, 40], rtol=0.01)
  np.testing.assert_allclose(gradients.std(axis=0), 5, rtol=0.03)


def test_the_wrong_side_is_the_opposite_on_that_part_of_the_states():
  teacher = Degraded(Constant((0.5, -1), (1, 2)), wrong_side=0.2)
  wrong = teacher.actions(MANY)[:, 0] < 0
  assert abs(wrong.mean() - 0.2) < 0.01
  np.testing.assert_array_equal(teacher.actions(MANY)[wrong][0], [-0.5, 1])
  gradients = teacher.action_gradients(MANY, MANY[:, :2])
  np.testing.assert_array_equal(gradients[:, 0] < 0, wrong)
  np.testing.assert_array_equal(gradients[wrong][0], [-1, -2])


@pytest.mark.parametrize(('part', 'expected'), [(0.0, 1), (1.0, -1)])
def test_no_and_every_state_may_be_wrong(part, expected):
  actions = Degraded(Constant((1, 1)), wrong_side=part).actions(MANY)
  np.testing.assert_array_equal(actions, expected)


def test_without_settings_it_is_the_teacher():
  np.testing.assert_array_equal(
    Degraded(Tanh()).actions(MANY), Tanh().actions(MANY)
  )


def test_other_seeds_give_other_noise():
  one, other = (
    Degraded(Constant((0, 0)), noise=0.1, seed=seed).actions(MANY).ravel()
    for seed in (0, 1)
  )
  assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


def test_uniforms_are_uniform_and_independent():
  u = degraded.uniforms(MANY, 4, 0)
  counts = np.apply_along_axis(
    lambda x: np.histogram(x, bins=20, range=(0, 1))[0], 0, u
  )
  # χ² of 19 degrees of freedom: one in 10,000 is beyond 52.
  assert (np.square(counts - 1000) / 1000).sum(axis=0).max() < 52
  assert np.abs(np.corrcoef(u.T) - np.eye(4)).max() < 0.03
  assert np.abs(np.corrcoef(u[:-1, 0], u[1:, 0])[0, 1]) < 0.03


def test_the_smallest_change_of_a_row_changes_everything():
  base = np.zeros((1, 3), np.float32)
  near = np.zeros((1000, 3), np.float32)
  near[:, 1] = np.arange(1, 1001) * np.float32(1e-6)
  difference = degraded.uniforms(near, 8, 0) - degraded.uniforms(base, 8, 0)
  assert np.abs(difference).min() > 0
  assert abs(np.corrcoef(degraded.uniforms(near, 2, 0).T)[0, 1]) < 0.15


def test_both_zeros_are_one():
  zero = np.zeros((1, 3), np.float32)
  np.testing.assert_array_equal(
    degraded.uniforms(zero, 3, 0), degraded.uniforms(-zero, 3, 0)
  )


def test_delay_is_slept():
  teacher = Degraded(Constant((0, 0)), delay=0.05)
  start = time.perf_counter()
  teacher.actions(MANY)
  assert time.perf_counter() - start >= 0.05


def test_the_version_follows_what_changes_the_advice():
  def version(inner='1', **settings):
    return Degraded(Constant((0, 0), version=inner), **settings).version

  others = [
    version(),
    version('2'),
    version(noise=0.1),
    version(wrong_side=0.1),
    version(seed=1),
  ]
  assert len(set(others)) == 5
  assert version(delay=0.1) == version()
  assert version(noise=1) == version(noise=1.0)


@pytest.mark.parametrize(
  ('settings', 'says'),
  [
    ('noise=-1', 'noise is -1'),
    ('wrong_side=1.5', r'wrong_side is 1\.5; .* from 0 to 1'),
    ('delay=1e999', 'delay is inf'),
    ('seed=-1', 'seed is -1'),
    ('seed=0.5', r'seed is 0\.5'),
    ('noise=much', "noise is 'much'"),
  ],
)
def test_settings_out_of_range_are_refused(settings, says):
  with pytest.raises(ValueError, match=says):
    registry.load(f'{ADDRESS}&{settings}', TASK)


def test_noise_on_the_largest_gradients_stays_finite():
  largest = float(np.finfo(np.float32).max)
  teacher = Degraded(Constant((0, 0), (largest, -largest)), noise=1)
  gradients = teacher.action_gradients(MANY, MANY[:, :2])
  assert np.isfinite(gradients).all()
