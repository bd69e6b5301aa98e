"""Committees of teachers."""

import numpy as np
import pytest

from datasets.tasks import Field
from teachers import registry
from teachers.base import NotGivenError, Task, Teacher
from teachers.committee import Committee, make
from tests.teachers.contract import TeacherContract
from tests.teachers.examples import TASK, Constant, Tanh, Towards

ZEROS = np.zeros((4, 3), np.float32)


class TestOfActions(TeacherContract):
  def make_teacher(self):
    return Committee([Tanh(), Constant((1, -1)), Constant((0, 0))])

  def test_gives_what_all_give(self, teacher):
    assert teacher.gives == {'actions'}


class TestOfGradients(TeacherContract):
  def make_teacher(self):
    return Committee([Towards(), Constant((0, 0), (1, 2))])

  def test_gives_what_all_give(self, teacher):
    assert teacher.gives == {'action_gradients'}


class TestOfBoth(TeacherContract):
  def make_teacher(self):
    address = 'tests.teachers.examples:make'
    return registry.load(
      f'teachers.committee:make?teachers={address},{address}', TASK
    )

  def test_gives_what_all_give(self, teacher):
    assert teacher.gives == {'actions', 'action_gradients'}


def test_the_action_is_the_mean():
  committee = Committee(
    [Constant((1, 0)), Constant((0, -1)), Constant((-1, 0))]
  )
  np.testing.assert_allclose(committee.actions(ZEROS), [[0, -1 / 3]] * 4)


def test_long_gradients_have_one_vote_and_short_ones_stay_short():
  members = [
    Constant((0, 0), (3e30, 4e30)),
    Constant((0, 0), (0, -0.1)),
  ]
  gradients = Committee(members).action_gradients(ZEROS, ZEROS[:, :2])
  np.testing.assert_allclose(gradients, [[0.3, 0.35]] * 4, rtol=1e-6)


def test_disagreement_is_the_rms_distance_from_the_mean():
  committee = Committee([Constant((0.6, 0.8)), Constant((-0.6, -0.8))])
  np.testing.assert_allclose(committee.disagreement(ZEROS), np.ones(4))
  same = Committee([Constant((0.6, 0.8))] * 2)
  np.testing.assert_allclose(same.disagreement(ZEROS), np.zeros(4), atol=1e-7)
  with pytest.raises(NotGivenError):
    Committee([Towards()]).disagreement(ZEROS)


def test_the_version_follows_the_members():
  def version(*versions):
    return Committee([Constant((0, 0), version=v) for v in versions]).version

  assert version('1', '2') == version('1', '2')
  assert len({version('1', '1'), version('1', '2'), version('1')}) == 3


class _Wide(Teacher):
  def __init__(self):
    super().__init__('wide', '1', 4, 2)

  def actions(self, observations):
    return observations[:, :2]


@pytest.mark.parametrize(
  ('members', 'says'),
  [
    ([], 'at least one'),
    ([Constant((0, 0)), _Wide()], r'\(3, 2\), \(4, 2\)'),
    ([Tanh(), Towards()], 'in common'),
  ],
)
def test_members_that_do_not_go_together_are_refused(members, says):
  with pytest.raises(ValueError, match=says):
    Committee(members)


@pytest.mark.parametrize('teachers', ['', 'a,', ',a'])
def test_an_empty_address_is_refused(teachers):
  with pytest.raises(ValueError, match='commas'):
    make(TASK, teachers)


@pytest.mark.parametrize(
  'query', ['', '?teachers=', '?teachers=[]', '?teachers=0']
)
def test_a_committee_of_nobody_is_refused(query):
  with pytest.raises(
    (ValueError, FileNotFoundError), match=r"teachers|'\[\]'|'0'"
  ):
    registry.load(f'teachers.committee:make{query}', TASK)


def test_a_member_of_another_task_is_refused():
  with pytest.raises(ValueError, match='widths'):
    make(Task('walker-run', 24, 6), 'tests.teachers.examples:make')


def of(task):
  teacher = Tanh()
  teacher.task = task
  return teacher


def test_members_of_different_tasks_are_refused():
  members = [of(Task('made-up', 3, 2)), Tanh(), of(Task('other', 3, 2))]
  with pytest.raises(ValueError, match=r'one task.*name: other, not made-up'):
    Committee(members)


def test_its_task_is_that_of_the_member_that_knows_most():
  whole = Task('made-up', 3, 2, (Field('all', (3,)),))
  assert Committee([of(TASK), Tanh(), of(whole)]).task == whole
  assert Committee([Tanh()]).task is None
