"""What is refused of a teacher."""

import numpy as np
import pytest

from datasets.tasks import Field
from teachers import checks
from teachers.base import Task
from tests.teachers.examples import TASK, Constant, Tanh, Towards

ROWS = np.zeros((4, 3), np.float32)
GOOD = np.full((4, 2), 0.5, np.float32)


class _Says(Constant):
  """Gives whatever it is told, whether asked for actions or gradients."""

  def __init__(self, answer):
    super().__init__((0, 0))
    self._answer = answer

  def actions(self, observations):
    return self._answer

  def action_gradients(self, observations, actions):
    return self._answer


def changed(where, value):
  array = GOOD.copy()
  array[where] = value
  return array


REFUSED = [
  (None, 'NoneType'),
  (GOOD.tolist(), 'list'),
  (GOOD.astype(np.float64), 'float64'),
  (GOOD[:3], r'shape \(3, 2\); it was asked for \(4, 2\)'),
  (GOOD[0], r'shape \(2,\)'),
  (GOOD[:, :1], r'shape \(4, 1\)'),
  (changed((2, 1), np.nan), r'\[2, 1\] = nan'),
  (changed((3, 0), -np.inf), r'\[3, 0\] = -inf'),
]


@pytest.mark.parametrize(('answer', 'says'), REFUSED)
def test_what_is_no_advice_is_refused(answer, says):
  teacher = _Says(answer)
  with pytest.raises(checks.AdviceRefusedError, match=f'constant.*{says}'):
    checks.ask_actions(teacher, ROWS)
  with pytest.raises(checks.AdviceRefusedError, match=f'constant.*{says}'):
    checks.ask_action_gradients(teacher, ROWS, GOOD)


@pytest.mark.parametrize('value', [1.0001, -5])
def test_actions_have_bounds_and_gradients_have_none(value):
  teacher = _Says(changed((1, 1), value))
  with pytest.raises(checks.AdviceRefusedError, match=rf'\[1, 1\] = {value}'):
    checks.ask_actions(teacher, ROWS)
  advice = checks.ask_action_gradients(teacher, ROWS, GOOD)
  assert advice[1, 1] == np.float32(value)


def test_advice_passes_unchanged():
  teacher = _Says(changed((1, 1), -1))
  assert checks.ask_actions(teacher, ROWS) is teacher.actions(ROWS)


@pytest.mark.parametrize(
  ('teacher', 'kind', 'says'),
  [
    (Tanh(), 'action_gradients', 'gives no action_gradients; it gives actions'),
    (Towards(), 'actions', 'gives no actions; it gives action_gradients'),
  ],
)
def test_a_teacher_without_the_kind_of_advice_is_refused(teacher, kind, says):
  checks.check_teacher(teacher, TASK)
  checks.check_teacher(teacher, TASK, *teacher.gives)
  with pytest.raises(checks.WrongTeacherError, match=says):
    checks.check_teacher(teacher, TASK, kind)


@pytest.mark.parametrize('sizes', [(4, 2), (3, 1)])
def test_a_teacher_of_another_task_is_refused(sizes):
  with pytest.raises(checks.WrongTeacherError, match=r'\(3, 2\), but other'):
    checks.check_teacher(Tanh(), Task('other', *sizes))


def of(task: Task) -> Tanh:
  teacher = Tanh()
  teacher.task = task
  return teacher


@pytest.mark.parametrize(
  ('task', 'says'),
  [
    (Task('other', 3, 2), 'name: other, not made-up'),
    (
      Task('made-up', 3, 2, (Field('x', (3,)),)),
      "observations: 'x', not 'all'",
    ),
  ],
)
def test_a_teacher_of_another_task_of_equal_widths_is_refused(task, says):
  wanted = Task('made-up', 3, 2, (Field('all', (3,)),))
  with pytest.raises(checks.WrongTeacherError, match=says):
    checks.check_teacher(of(task), wanted)


def test_a_teacher_that_does_not_say_its_task_is_checked_by_its_widths():
  assert Tanh().task is None
  checks.check_teacher(Tanh(), Task('any', 3, 2))
  checks.check_teacher(of(TASK), TASK)
