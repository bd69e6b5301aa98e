"""The task in a service's hello: carried, compared, and never trusted."""

import math

import pytest

from datasets.tasks import Field, Task
from teachers import client, errors, registry, service, wire
from teachers import service_pb2 as pb
from tests.teachers.services import Doubler, describe, fake, serving

TASK = Task(
  'made-up',
  3,
  2,
  (
    Field('position', (2,), (-1.5, -math.inf), (1.5, 0.1), 'm'),
    Field('angle', (), high=math.pi, unit='rad'),
  ),
  (Field('action', (2,), -0.3, 9.0),),
)


def doubler(task: Task, version: str = '1') -> Doubler:
  teacher = Doubler(version)
  teacher.task = task
  return teacher


@pytest.mark.parametrize('task', [TASK, Task('made-up', 3, 2), None])
def test_the_hello_carries_it(task) -> None:
  with serving(doubler(task)) as server:
    assert client.connect([server.address]).task == task


def test_the_hello_says_where_the_fields_are() -> None:
  message = wire.encode_task(TASK)
  fields = [(f.name, f.offset, f.size, f.unit) for f in message.observations]
  assert fields == [('position', 0, 2, 'm'), ('angle', 2, 1, 'rad')]
  assert list(message.observations[1].low) == []
  assert list(message.observations[1].high) == [math.pi]
  assert list(message.actions[0].low) == [-0.3]


def test_a_service_of_another_task_of_equal_widths_is_refused() -> None:
  with serving(doubler(Task('other', 3, 2))) as server:
    address = f'{registry.SERVICE}{server.address}'
    with pytest.raises(errors.WrongTeacherError, match='other, not made-up'):
      registry.load(address, TASK)


def test_services_of_two_tasks_are_not_one_teacher() -> None:
  with (
    serving(doubler(TASK)) as one,
    serving(doubler(Task('other', 3, 2))) as other,
    pytest.raises(errors.WrongTeacherError, match=r'name: .*, not '),
  ):
    client.connect([one.address, other.address])
  # One that does not say may be of an older version of the same teacher.
  with serving(doubler(TASK)) as one, serving(Doubler()) as silent:
    assert client.connect([one.address, silent.address]).task == TASK


def field(**changes) -> pb.Field:
  return pb.Field(**{'name': 'all', 'offset': 0, 'size': 3, **changes})


def only(*fields: pb.Field) -> dict:
  return {'observations': fields}


@pytest.mark.parametrize(
  ('task', 'message'),
  [
    ({'name': 'x' * 201}, '200 printable'),
    ({'name': 'a\x1b[2J'}, '200 printable'),
    (only(field(name='a\nb')), '200 printable'),
    (only(field(unit='m' * 201)), '200 printable'),
    (only(*[field()] * 1_001), '1001 fields; give at most 1000'),
    (only(field(size=2)), 'fields of 2 numbers together, but its width is 3'),
    (only(field(offset=1)), 'its offset must be 0'),
    (only(field(shape=[2])), r'shape \(2,\)'),
    (only(field(shape=[1] * 33)), '33 axes'),
    (only(field(low=[0, 0])), '2 bounds; give one, or 3'),
    (only(field(low=[1], high=[0])), 'from 1.0 to 0.0'),
    (only(field(low=[math.nan])), 'NaN'),
    ({'actions': [field(high=[-math.inf])]}, 'from -inf to -inf'),
  ],
)
def test_a_task_that_is_none_is_refused(task, message) -> None:
  told = describe(task=pb.Task(**{'name': 'made-up', **task}))
  with (
    fake(Describe=told) as address,
    pytest.raises(errors.AdviceRefusedError, match=message) as caught,
  ):
    client.connect([address])
  assert address in str(caught.value)


def test_what_no_client_would_take_is_not_served() -> None:
  task = Task('made-up', 3, 2, (Field('a\nb', (3,)),))
  with pytest.raises(ValueError, match='200 printable'):
    service.serve(doubler(task))
