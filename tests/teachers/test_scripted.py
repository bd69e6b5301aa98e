"""Teachers that are scripts."""

import numpy as np
import pytest

from launchers.acting import rollouts
from launchers.acting.outcomes import split
from launchers.acting.places import Places
from teachers import checks, scripted
from teachers.base import Task
from tests.teachers.contract import TeacherContract

PENDULUM = Task('pendulum-swingup', 3, 1)
CARTPOLE = Task('cartpole-swingup', 5, 1)


class TestPendulum(TeacherContract):
  def make_teacher(self):
    return scripted.make(PENDULUM)


class TestCartpole(TeacherContract):
  def make_teacher(self):
    return scripted.make(CARTPOLE)


@pytest.mark.parametrize(
  ('task', 'least'),
  [  # 0.8 of the experts' returns, where there is one
    (Task('cartpole-balance', 5, 1), 900),
    (CARTPOLE, 0.8 * 864),
    (PENDULUM, 0.8 * 863),
  ],
)
def test_returns_are_near_the_experts(task, least):
  environments = Places(task.name, None).take(4)
  teacher = scripted.make(task)
  seeds = [rollouts.seed_for(7, rollouts.EVALUATE, index) for index in range(4)]
  returns, _ = split(
    rollouts.evaluate(environments, teacher.actions, 1_000, seeds)
  )
  assert np.mean(returns) > least


def test_other_tasks_are_refused():
  with pytest.raises(checks.WrongTeacherError, match=r'walker-run.*cartpole'):
    scripted.make(Task('walker-run', 24, 6))


def test_nothing_is_done_at_the_top():
  top = np.array([[1, 0, 0]], np.float32)
  assert scripted.make(PENDULUM).actions(top) == 0
  top = np.array([[0, 1, 0, 0, 0]], np.float32)
  assert scripted.make(CARTPOLE).actions(top) == 0


def test_a_pole_at_rest_is_set_in_motion():
  bottom = np.array([[-1, 0, 0]], np.float32)
  assert scripted.make(PENDULUM).actions(bottom) == 1


@pytest.mark.parametrize('task', [PENDULUM, CARTPOLE])
def test_left_and_right_are_alike(task):
  """The models are symmetric, and so must be what is done."""
  even = [0] if task is PENDULUM else [1]
  observations = np.random.default_rng(0).normal(
    size=(64, task.observation_size)
  )
  mirrored = -observations
  mirrored[:, even] *= -1
  teacher = scripted.make(task)
  np.testing.assert_allclose(
    teacher.actions(mirrored.astype(np.float32)),
    -teacher.actions(observations.astype(np.float32)),
    atol=1e-6,
  )


def test_the_regulator_solves_a_problem_with_a_known_answer():
  """One state: k = (golden ratio) / (1 + golden ratio) at a = b = cost = 1."""
  gains = scripted.regulator(np.eye(1), np.ones(1), (1.0,))
  np.testing.assert_allclose(gains, [(5**0.5 - 1) / 2], rtol=1e-9)


def test_the_regulator_gives_up_on_what_nothing_stabilizes():
  with pytest.raises(ArithmeticError, match='controllable'):
    scripted.regulator(np.eye(1), np.zeros(1), (1.0,))
