"""From addresses to teachers."""

import numpy as np
import pytest

from datasets.tasks import Field
from teachers import checks, registry
from teachers.base import Task
from teachers.snapshot import SnapshotTeacher
from tests.launchers.harness import write_teacher
from tests.teachers.examples import TASK, Constant
from tests.teachers.services import serving

CARTPOLE = Task('cartpole-swingup', 5, 1)
MAKE = 'tests.teachers.examples:make'


@pytest.mark.parametrize(
  ('address', 'is_service', 'is_python'),
  [
    ('grpc://127.0.0.1:5', True, False),
    ('module:factory', False, True),
    ('module:factory?path=grpc://a:1', False, True),
    ('cartpole-swingup/expert', False, False),
    ('untrained', False, False),
  ],
)
def test_kinds_of_address(address, is_service, is_python):
  assert registry.is_service(address) == is_service
  assert registry.is_python(address) == is_python


@pytest.mark.parametrize('address', ['cartpole-swingup/expert', 'untrained'])
def test_names_of_snapshots(address):
  teacher = registry.load(address, CARTPOLE)
  assert isinstance(teacher, SnapshotTeacher)
  assert teacher.name == address


def test_paths_of_snapshots(tmp_path):
  path = write_teacher(tmp_path / 'mine.npz')
  assert registry.load(str(path), CARTPOLE).name == str(path)


@pytest.mark.parametrize(
  ('query', 'name', 'gradient'),
  [
    ('', 'constant', (0, 0)),
    ('?gradient=(1,2.5)', 'constant', (1, 2.5)),
    ('?name=a b', 'a b', (0, 0)),
    ('?name=a%26b%3Dc&gradient=[3,4]', 'a&b=c', (3, 4)),
  ],
)
def test_factories_get_their_arguments(query, name, gradient):
  teacher = registry.load(MAKE + query, TASK)
  assert teacher.name == name
  rows = np.zeros((1, 3), np.float32)
  advice = teacher.action_gradients(rows, rows[:, :2])
  np.testing.assert_array_equal(advice, [gradient])


def test_an_argument_that_the_factory_does_not_take_is_refused():
  says = r"no argument 'teachrs'\. Did you mean teachers\? .* are: teachers"
  with pytest.raises(ValueError, match=says):
    registry.load('teachers.committee:make?teachrs=untrained', TASK)


def test_services():
  with serving(Constant((0.5, 0), name='far')) as server:
    teacher = registry.load(f'grpc://127.0.0.1:{server.port}', TASK)
    assert teacher.name == 'far'


def no_teacher(task):
  return task.name


def faulty(task):
  return task + 1


def failing(task):
  raise RuntimeError(f'no licence for {task.name}')


@pytest.mark.parametrize(
  ('address', 'says'),
  [
    ('no_such_module:make', 'PYTHONPATH'),
    ('tests.teachers.examples:no_such', "no function 'no_such'"),
    ('tests.teachers.test_registry:no_teacher', 'returned str'),
    (
      'tests.teachers.test_registry:failing',
      r"made no teacher: RuntimeError\('no licence for made-up'\), in .*"
      r'test_registry.py, line \d+',
    ),
    (
      'tests.teachers.test_registry:faulty',
      r'made no teacher: TypeError.*test_registry.py, line \d+',
    ),
    (f'{MAKE}?gradient', 'bad query'),
  ],
)
def test_what_leads_to_no_teacher_is_refused(address, says):
  with pytest.raises(ValueError, match=says):
    registry.load(address, TASK)


@pytest.mark.parametrize(
  ('name', 'says'),
  [
    ('cartpole-swingup/expret', r'Did you mean cartpole-swingup/expert'),
    ('cartpole-swingpu/expert', r'Did you mean cartpole-swingup/expert'),
    ('wizard', r'There are cartpole-balance/expert, .*walker-run/mid\.'),
  ],
)
def test_an_unknown_name_is_refused(name, says):
  with pytest.raises(FileNotFoundError, match=f'{name}.*{says}'):
    registry.load(name, CARTPOLE)


@pytest.mark.parametrize(
  ('address', 'meant'),
  [
    ('grpc:/far:1', 'grpc://far:1'),
    ('http://far:1', 'grpc://far:1'),
    ('https://far:1/', 'grpc://far:1'),
    ('grpc:far:1', 'grpc://far:1'),
    ('far:1', 'grpc://far:1'),
    ('grpc://far', 'grpc://127.0.0.1:50051'),
    ('grpc://far:1/', 'grpc://far:1'),
    ('[::1]:1', r'grpc://\[::1\]:1'),
    ('http://far/teacher', 'grpc://127.0.0.1:50051'),
  ],
)
def test_what_looks_like_a_service_is_told_how_services_are_written(
  address, meant
):
  says = f'a service is written grpc://HOST:PORT, as in {meant}'
  with pytest.raises(ValueError, match=says):
    registry.load(address, TASK)


@pytest.mark.parametrize('address', ['cartpole-swingup/expert', MAKE])
def test_a_teacher_of_another_task_is_refused(address):
  with pytest.raises(checks.WrongTeacherError, match='walker-run'):
    registry.load(address, Task('walker-run', 24, 6))


WHOLE = Task('cartpole-swingup', 5, 1, (Field('all', (5,)),))


@pytest.mark.parametrize(
  'address',
  [
    'cartpole-swingup/expert',
    'untrained',
    'teachers.scripted:make',
    'teachers.committee:make?teachers=untrained,cartpole-swingup/mid',
    'teachers.degraded:make?teacher=cartpole-swingup/mid&noise=0.1',
  ],
)
def test_a_teacher_carries_the_task_that_it_was_loaded_for(address):
  assert registry.load(address, WHOLE).task == WHOLE


def test_the_factory_of_a_task_gives_teachers_of_it():
  made = registry.load(MAKE, TASK)
  assert made.task == TASK
  assert Constant((0, 0)).task is None


def test_a_service_that_does_not_say_its_task_is_not_made_to():
  with serving(Constant((0, 0))) as server:
    address = f'{registry.SERVICE}{server.address}'
    assert registry.load(address, TASK).task is None


@pytest.mark.parametrize(
  'address',
  [
    'cartpole-balance/expert',
    'teachers.committee:make?teachers=untrained,cartpole-balance/mid',
    'teachers.degraded:make?teacher=cartpole-balance/expert',
  ],
)
def test_another_task_of_equal_widths_is_refused(address):
  says = 'cartpole-balance, not cartpole-swingup.*Choose a teacher of this task'
  with pytest.raises(checks.WrongTeacherError, match=says):
    registry.load(address, WHOLE)
