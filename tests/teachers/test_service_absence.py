"""Services that are killed, frozen, late, replaced, or several."""

from concurrent import futures
import signal
import time

import numpy as np
import portpicker
import pytest

from teachers import client, errors
from tests.teachers.services import (
  Doubler,
  Process,
  Told,
  describe,
  fake,
  serving,
)

OBSERVATIONS = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)
WANTED = np.tanh(OBSERVATIONS[:, :2])


@pytest.fixture
def process():
  one = Process()
  yield one
  one.kill()


def test_a_killed_service_is_waited_for_until_it_is_back(process) -> None:
  told = Told()
  remote = client.connect([process.address], on_trouble=told)
  with futures.ThreadPoolExecutor(4) as pool:
    asking = [pool.submit(remote.actions, OBSERVATIONS) for _ in range(40)]
    process.kill()
    asking += [pool.submit(remote.actions, OBSERVATIONS) for _ in range(40)]
    assert told.waits.wait(20)
    process.start()
    for one in asking:
      np.testing.assert_array_equal(one.result(30), WANTED)
  assert process.address in told.messages[0]
  assert 'UNAVAILABLE' in told.messages[0]
  assert told.messages[-1] is None


def test_a_service_frozen_in_a_call_is_waited_for(process) -> None:
  told = Told()
  remote = client.connect([process.address], deadline=0.5, on_trouble=told)
  process.signal(signal.SIGSTOP)
  with futures.ThreadPoolExecutor(1) as pool:
    asking = pool.submit(remote.actions, OBSERVATIONS)
    assert told.waits.wait(20)
    process.signal(signal.SIGCONT)
    np.testing.assert_array_equal(asking.result(30), WANTED)


def test_a_service_that_comes_back_as_another_is_refused(process) -> None:
  told = Told()
  remote = client.connect([process.address], on_trouble=told)
  remote.actions(OBSERVATIONS)
  process.kill()
  process.version = '2'
  process.start()
  with pytest.raises(errors.WrongTeacherError) as caught:
    remote.actions(OBSERVATIONS)
  assert None not in told.messages  # It does not answer again.
  assert '(version: 2, not 1)' in str(caught.value)


def test_services_share_the_load() -> None:
  teachers = [Doubler(), Doubler()]
  with serving(teachers[0]) as one, serving(teachers[1]) as two:
    remote = client.connect([one.address, two.address])
    with futures.ThreadPoolExecutor(8) as pool:
      for advice in pool.map(remote.actions, [OBSERVATIONS] * 100):
        np.testing.assert_array_equal(advice, WANTED)
  assert sorted(teacher.calls for teacher in teachers) == [50, 50]


def test_one_of_two_dies_and_nobody_notices(process) -> None:
  teacher, told = Doubler(), Told()
  with serving(teacher) as other:
    remote = client.connect([process.address, other.address], on_trouble=told)
    for number in range(20):
      if number == 5:
        process.kill()
      np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
    assert told.messages == []
    alone = teacher.calls
    assert 15 <= alone < 20
    process.start()
    deadline = time.monotonic() + 20
    asked = 0
    while teacher.calls - alone == asked:  # Until it shares the load again.
      assert time.monotonic() < deadline
      remote.actions(OBSERVATIONS)
      asked += 1
      time.sleep(0.1)


def test_a_service_that_is_late_joins() -> None:
  late = Doubler()
  port = portpicker.pick_unused_port()
  with serving(Doubler()) as other:
    remote = client.connect([f'127.0.0.1:{port}', other.address], patience=0.0)
    np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
    with serving(late, f'127.0.0.1:{port}'):
      until = time.monotonic() + 20
      while not late.calls:
        assert time.monotonic() < until
        np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
        time.sleep(0.1)


@pytest.mark.parametrize(
  'other',
  [
    {'name': 'halver'},
    {'version': '2'},
    {'observation_size': 4},
    {'gives_action_gradients': False},
  ],
)
def test_services_of_different_teachers_are_refused(other) -> None:
  with (
    fake() as one,
    fake(Describe=describe(**other)) as two,
    pytest.raises(errors.WrongTeacherError) as caught,
  ):
    client.connect([one, two])
  name, value = next(iter(other.items()))
  assert f'({name}: {value}, not ' in str(caught.value)
  assert 'than doubler, which' in str(caught.value)
