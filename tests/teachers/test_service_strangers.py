"""Callers that hold what is not theirs; the others are served all the same."""

from collections.abc import Iterator
import contextlib
import socket
import threading
import time
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
import numpy as np
import pytest

from teachers import client, credentials, reception, wire
from teachers import service_pb2 as pb
from teachers.credentials import ServerKeys
from tests.teachers.services import Doubler, serving

TOKEN = 'a-token-of-some-length'
OBSERVATIONS = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)
WANTED = np.tanh(OBSERVATIONS[:, :2])
ACTIONS = f'/{wire.SERVICE}/Actions'
CHECK = '/grpc.health.v1.Health/Check'
WATCH = '/grpc.health.v1.Health/Watch'
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


@contextlib.contextmanager
def half_open(
  address: str, count: int, method: str = ACTIONS, token: str = ''
) -> Iterator[list[Any]]:
  """Calls that have begun and never send their messages."""
  over = threading.Event()

  def nothing() -> Iterator[bytes]:
    over.wait(60)
    yield from ()

  with grpc.insecure_channel(address) as channel:
    call = channel.stream_unary(method)
    metadata = credentials.bearer(token)
    try:
      yield [call.future(nothing(), metadata=metadata) for _ in range(count)]
    finally:
      over.set()


def ends(call: Any) -> grpc.StatusCode:
  with pytest.raises(grpc.RpcError):
    call.result(timeout=20)
  return call.code()


@pytest.mark.parametrize('count', [4, 200])
@pytest.mark.parametrize('method', [ACTIONS, CHECK, WATCH, '/no.such/Method'])
def test_strangers_hold_no_worker(count, method) -> None:
  with serving(Doubler(), keys=ServerKeys(token=TOKEN)) as server:
    remote = client.connect([server.address], token=TOKEN)
    with half_open(server.address, count, method) as calls:
      began = time.monotonic()
      np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
      assert time.monotonic() - began < 5
      for call in calls:
        assert ends(call) == UNAUTHENTICATED


@pytest.mark.parametrize('method', [ACTIONS, CHECK, WATCH])
def test_calls_without_a_message_hold_no_worker(method) -> None:
  with serving(Doubler()) as server:
    remote = client.connect([server.address])
    with half_open(server.address, 8, method):
      time.sleep(0.2)
      began = time.monotonic()
      np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
      assert time.monotonic() - began < 2


@pytest.mark.parametrize('method', [ACTIONS, CHECK, WATCH])
def test_a_call_whose_message_is_late_is_ended(monkeypatch, method) -> None:
  monkeypatch.setattr(reception, 'MESSAGE_SECONDS', 0.5)
  with serving(Doubler()) as server:
    remote = client.connect([server.address])
    with half_open(server.address, 100, method) as calls:
      began = time.monotonic()
      np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
      for call in calls:
        assert ends(call) != grpc.StatusCode.OK
      assert time.monotonic() - began < 10


def test_a_call_that_ends_without_a_message_is_refused() -> None:
  with serving(Doubler()) as server:
    call = grpc.insecure_channel(server.address).stream_unary(ACTIONS)
    with pytest.raises(grpc.RpcError, match='has no message: send one'):
      call(iter(()), timeout=10)


def test_connections_are_counted() -> None:
  with serving(Doubler(), keys=ServerKeys(token=TOKEN)) as server:
    remote = client.connect([server.address], token=TOKEN)
    with contextlib.ExitStack() as stack:
      sockets = []
      for _ in range(300):
        one = socket.create_connection(('127.0.0.1', server.port), 10)
        sockets.append(stack.enter_context(one))
      np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
      time.sleep(1)
      assert sum(map(is_open, sockets)) <= 256
    # And when they are gone there is room again.
    other = client.connect([server.address], token=TOKEN)
    np.testing.assert_array_equal(other.actions(OBSERVATIONS), WANTED)


def is_open(one: socket.socket) -> bool:
  one.setblocking(False)
  try:
    while one.recv(1 << 16):
      pass
  except BlockingIOError:
    return True
  except OSError:
    return False
  return False


class Held(Doubler):
  """Answers when it may."""

  def __init__(self) -> None:
    super().__init__()
    self.may = threading.Event()
    self.asked = threading.Semaphore(0)

  def actions(self, observations):
    self.asked.release()
    assert self.may.wait(20)
    return super().actions(observations)


def question() -> bytes:
  tensor = wire.encode(OBSERVATIONS)
  return pb.ActionsRequest(observations=tensor).SerializeToString()


def test_a_call_does_not_wait_for_a_worker_for_ever(monkeypatch) -> None:
  monkeypatch.setattr(reception, 'WORKER_SECONDS', 0.3)
  with serving(teacher := Held(), max_workers=2) as server:
    call = grpc.insecure_channel(server.address).unary_unary(ACTIONS)
    held = [call.future(question()) for _ in range(2)]
    for _ in held:
      assert teacher.asked.acquire(timeout=10)
    with pytest.raises(grpc.RpcError, match='workers were busy') as caught:
      call(question())
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    teacher.may.set()
    for one in held:
      assert pb.Advice.FromString(one.result(10)).version == '1'


def test_nobody_is_asked_for_callers_that_are_gone() -> None:
  with serving(teacher := Held(), max_workers=1) as server:
    call = grpc.insecure_channel(server.address).unary_unary(ACTIONS)
    first = call.future(question())
    assert teacher.asked.acquire(timeout=10)
    gone = [call.future(question()) for _ in range(5)]
    time.sleep(0.5)
    for one in gone:
      one.cancel()
    time.sleep(0.5)
    teacher.may.set()
    first.result(10)
    client.connect([server.address]).actions(OBSERVATIONS)
  assert teacher.calls == 2


def test_a_watch_is_told_and_holds_nothing() -> None:
  request = health_pb2.HealthCheckRequest(service=wire.SERVICE)
  with serving(Doubler()) as server:
    channels = [grpc.insecure_channel(server.address) for _ in range(100)]
    watches = [
      health_pb2_grpc.HealthStub(c).Watch(request, timeout=30) for c in channels
    ]
    for watch in watches:
      reply = next(watch)
      assert reply.status == health_pb2.HealthCheckResponse.SERVING
    remote = client.connect([server.address])
    np.testing.assert_array_equal(remote.actions(OBSERVATIONS), WANTED)
    for watch in watches[:50]:
      watch.cancel()
    server.stop(1)
    for watch in watches[50:]:
      assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
