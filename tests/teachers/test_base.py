"""What every teacher inherits."""

import numpy as np
import pytest

from teachers.base import NotGivenError, Task, Teacher
from tests.teachers.contract import TeacherContract
from tests.teachers.examples import Constant, Tanh, Towards

ROWS = np.zeros((2, 3), np.float32)


class TestConstant(TeacherContract):
  def make_teacher(self):
    return Constant((1, -1), (1, 2))


@pytest.mark.parametrize(
  ('teacher', 'gives'),
  [
    (Constant((0, 0)), {'actions', 'action_gradients'}),
    (Tanh(), {'actions'}),
    (Towards(), {'action_gradients'}),
    (Teacher('silent', '1', 3, 2), set()),
  ],
)
def test_what_is_overridden_is_given(teacher, gives):
  assert teacher.gives == gives


def test_what_is_not_overridden_is_an_error_that_names_the_teacher():
  with pytest.raises(NotGivenError, match='towards gives no actions'):
    Towards().actions(ROWS)
  with pytest.raises(NotGivenError, match='tanh gives no action gradients'):
    Tanh().action_gradients(ROWS, ROWS[:, :2])


@pytest.mark.parametrize(
  ('arguments', 'says'),
  [
    (('', '1', 3, 2), "''"),
    (('mine', '', 3, 2), "'mine' and ''"),
    (('mine', '1', 0, 2), 'observation_size=0'),
    (('mine', '1', 3, -1), 'action_size=-1'),
    (('mine', '1', 3, 2, Task('x', 3, 1)), r'task x has \(3, 1\)'),
  ],
)
def test_a_teacher_without_name_or_size_is_refused(arguments, says):
  with pytest.raises(ValueError, match=says):
    Teacher(*arguments)


class _Broken(Constant):
  """Answers by `change` of what it should answer."""

  def __init__(self, change):
    super().__init__((0.1, 0.2), (1, 2))
    self._change = change
    self._calls = 0

  def actions(self, observations):
    self._calls += 1
    return self._change(self, observations, super().actions(observations))


def _noise(teacher, observations, actions):
  return actions * np.float32(teacher._calls / 100)


def _of_the_batch(teacher, observations, actions):
  return actions * np.tanh(observations.mean())


def _of_the_position(teacher, observations, actions):
  return actions * np.linspace(0, 1, len(actions), dtype=np.float32)[:, None]


def _changes_input(teacher, observations, actions):
  observations *= 2
  return actions


def _nan_far_away(teacher, observations, actions):
  return actions * np.where(np.abs(observations[:, :1]) > 500, np.nan, 1)


@pytest.mark.parametrize(
  ('change', 'test', 'arguments'),
  [
    (_noise, 'test_repeats_itself', ()),
    (_noise, 'test_any_thread_may_ask', ()),
    (_of_the_batch, 'test_a_row_is_answered_by_itself', ()),
    (_of_the_position, 'test_a_row_is_answered_by_itself', ()),
    (_changes_input, 'test_leaves_the_questions_alone', ()),
    (_nan_far_away, 'test_any_finite_observation_is_answered', (1e3,)),
    (lambda t, o, a: a[0], 'test_advice_passes_the_checks', (7,)),
    (lambda t, o, a: a * 20, 'test_advice_passes_the_checks', (1,)),
  ],
)
def test_the_contract_finds_what_it_is_there_to_find(change, test, arguments):
  class Contract(TeacherContract):
    def make_teacher(self):
      return _Broken(change)

  contract = Contract()
  with pytest.raises((AssertionError, ValueError)):
    getattr(contract, test)(contract.make_teacher(), *arguments)


class _Holder(Teacher):
  """Holds anything."""

  def __init__(self, *parts):
    super().__init__('holder', '1', 3, 2)
    self.parts = parts


class _Remote(_Holder):
  reaches = frozenset(['host:1'])


def test_what_a_teacher_reaches_is_found_at_any_depth():
  assert _Holder(Constant(0.0)).reaches == frozenset()
  deep = _Holder({'inner': [_Holder((_Remote(),))]})
  assert deep.reaches == {'host:1'}


def test_teachers_that_hold_each_other_are_asked_once():
  one, other = _Holder(), _Holder(_Remote())
  one.parts = (other, [one])
  other.parts = (*other.parts, one)
  assert one.reaches == other.reaches == {'host:1'}
