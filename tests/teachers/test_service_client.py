"""The client and one service: what it refuses, and what it waits for."""

from concurrent import futures
import threading
import time

import grpc
import numpy as np
import pytest

from teachers import client, errors
from tests.teachers.services import (
  Doubler,
  Told,
  advise,
  describe,
  fake,
  serving,
)

OBSERVATIONS = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)
WANTED = np.tanh(OBSERVATIONS[:, :2])
GOOD = np.zeros((4, 2))


def nan_at_last() -> np.ndarray:
  values = GOOD.copy()
  values[3, 1] = np.nan
  return values


@pytest.mark.parametrize(
  ('answer', 'message'),
  [
    (advise(nan_at_last()), r'\[3, 1\] = nan'),
    (advise(GOOD + np.inf), 'inf'),
    (advise(GOOD + 1.25), r'1\.25, beyond \[-1, 1\]'),
    (advise(GOOD[:3]), r'\(3, 2\); it was asked for \(4, 2\)'),
    (advise(GOOD[:, :1]), r'\(4, 1\); it was asked for'),
    (advise(GOOD[0]), 'rank 1'),
    (advise(GOOD, version='2'), "version '2'.*'1'"),
    (lambda request, context: b'\xff\xfe\xfd', '3 bytes are no Advice'),
    (lambda request, context: b'', "version ''"),
    # Version 1, shape (4, 2), and 3 bytes.
    (
      lambda request, context: b'\n\x09\n\x02\x04\x02\x12\x03abc\x12\x011',
      'need 32 bytes of float32; there are 3',
    ),
  ],
)
def test_an_answer_that_lies_is_refused_after_three(answer, message) -> None:
  asked = []

  def count(request, context):
    asked.append(request)
    return answer(request, context)

  with fake(Actions=count) as address:
    told = Told()
    remote = client.connect([address], patience=0.0, on_trouble=told)
    with pytest.raises(errors.AdviceRefusedError, match=message) as caught:
      remote.actions(OBSERVATIONS)
  assert address in str(caught.value)
  assert len(asked) == 3
  assert len(told.messages) == 2  # Before each further try; no end of it.
  assert None not in told.messages


def test_another_service_is_asked_when_one_lies() -> None:
  with fake(Actions=advise(nan_at_last())) as liar, serving(Doubler()) as good:
    remote = client.connect([liar, good.address])
    for _ in range(4):
      np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'name': ''}, 'printable'),
    ({'name': 'a\x1b[2Jb'}, 'printable'),
    ({'version': 'x' * 201}, 'printable'),
    ({'observation_size': 0}, 'width 0'),
    ({'action_size': 2**32 - 1}, 'width 4294967295'),
  ],
)
def test_a_description_that_is_none_is_refused(fields, message) -> None:
  with (
    fake(Describe=describe(**fields)) as address,
    pytest.raises(errors.AdviceRefusedError, match=message),
  ):
    client.connect([address])


@pytest.mark.parametrize(
  ('code', 'attempts'),
  [
    (grpc.StatusCode.INVALID_ARGUMENT, 1),
    (grpc.StatusCode.UNIMPLEMENTED, 1),
    (grpc.StatusCode.UNAUTHENTICATED, 1),
    (grpc.StatusCode.PERMISSION_DENIED, 1),
    (grpc.StatusCode.INTERNAL, 3),
    (grpc.StatusCode.UNKNOWN, 3),
  ],
)
def test_an_error_is_named(code, attempts) -> None:
  asked = []

  def refuse(request, context):
    asked.append(request)
    context.abort(code, 'since\nI say so')

  with fake(Actions=refuse) as address:
    remote = client.connect([address])
    with pytest.raises(errors.TeacherFailedError) as caught:
      remote.actions(OBSERVATIONS)
  assert str(caught.value) == f'{address} Actions: {code.name}: since I say so'
  assert len(asked) == attempts


@pytest.mark.parametrize('size', [8_000, 12_000, 20_000, 2 << 20])
def test_an_error_with_many_words_is_not_taken_for_absence(size) -> None:
  asked = []

  def refuse(request, context):
    asked.append(request)
    context.abort(grpc.StatusCode.INTERNAL, size * 'x')

  with fake(Actions=refuse) as address:
    remote = client.connect([address])
    with pytest.raises(errors.TeacherFailedError, match=address) as caught:
      remote.actions(OBSERVATIONS)
  assert len(asked) == 3
  assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize(
  'code',
  [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED],
)
def test_what_passes_is_waited_for(code) -> None:
  left = [None] * 2

  def late(request, context):
    if left:
      left.pop()
      context.abort(code, 'busy')
    return advise(GOOD)(request, context)

  told = Told()
  with fake(Actions=late) as address:
    remote = client.connect([address], on_trouble=told)
    np.testing.assert_array_equal(remote.actions(OBSERVATIONS), GOOD)
  assert len(told.messages) == 3
  assert told.messages[-1] is None
  for message in told.messages[:-1]:
    for part in (address, code.name, 'busy', 'next try in'):
      assert part in message


def test_a_message_that_is_too_large_is_not_waited_for() -> None:
  def huge(request, context):
    return bytes(65 << 20)

  # The fake's own limit on what it sends is none.
  with fake(Actions=huge) as address:
    remote = client.connect([address])
    with pytest.raises(errors.TeacherFailedError, match='larger than max'):
      remote.actions(OBSERVATIONS)


def test_a_slow_service_meets_the_deadline() -> None:
  finish = threading.Event()

  def slow(request, context):
    finish.wait(20)
    return advise(GOOD)(request, context)

  told = Told()
  with fake(Actions=slow) as address:
    remote = client.connect(
      [address], deadline=0.3, patience=0.5, on_trouble=told
    )
    began = time.monotonic()
    with pytest.raises(errors.TeacherUnavailableError, match='DEADLINE'):
      remote.actions(OBSERVATIONS)
    assert 0.5 <= time.monotonic() - began < 5
    assert 'DEADLINE_EXCEEDED' in told.messages[0]
    assert None not in told.messages
    finish.set()
    np.testing.assert_array_equal(remote.actions(OBSERVATIONS), GOOD)
    assert told.messages[-1] is None


@pytest.mark.parametrize('text', ['0', '-1', 'inf', 'soon'])
def test_the_deadline_of_the_environment(monkeypatch, text) -> None:
  monkeypatch.setenv(client.DEADLINE, text)
  with pytest.raises(ValueError, match=f'{client.DEADLINE} is {text!r}'):
    client.connect(['grpc://127.0.0.1:1'])
  monkeypatch.setenv(client.DEADLINE, '0.2')
  finish = threading.Event()

  def slow(request, context):
    finish.wait(20)
    return describe()(request, context)

  with fake(Describe=slow) as address:
    began = time.monotonic()
    with pytest.raises(errors.TeacherUnavailableError, match='DEADLINE'):
      client.connect([address], patience=0.1)
    assert 0.2 <= time.monotonic() - began < 5
    finish.set()


def test_nobody_there_ends_the_patience() -> None:
  began = time.monotonic()
  with pytest.raises(errors.TeacherUnavailableError, match=r'of 0\.3 s'):
    client.connect(['grpc://127.0.0.1:1'], patience=0.3)
  assert time.monotonic() - began < 5


@pytest.mark.parametrize('in_flight', [True, False])
def test_a_stop_ends_the_wait_at_once(in_flight) -> None:
  stop, asked, told = threading.Event(), threading.Event(), Told()

  def hang(request, context):
    asked.set()
    if not in_flight:
      context.abort(grpc.StatusCode.UNAVAILABLE, 'away')
    stop.wait(20)
    return b''

  with (
    fake(Actions=hang) as address,
    futures.ThreadPoolExecutor(1) as pool,
  ):
    remote = client.connect(
      [address], deadline=20, is_stopping=stop.is_set, on_trouble=told
    )
    waiting = pool.submit(remote.actions, OBSERVATIONS)
    assert asked.wait(10)
    if not in_flight:
      assert told.waits.wait(10)
    began = time.monotonic()
    stop.set()
    with pytest.raises(errors.TeacherStoppedError):
      waiting.result(10)
    assert time.monotonic() - began < 2


def test_observations_of_another_width_are_not_sent() -> None:
  with serving(Doubler()) as server:
    remote = client.connect([server.address])
    with pytest.raises(ValueError, match=r'takes \[B, 3\]'):
      remote.actions(OBSERVATIONS[:, :2])
