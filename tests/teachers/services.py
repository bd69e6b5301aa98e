"""Services for tests: honest, lying, slow, and in processes of their own."""

from collections.abc import Callable, Iterator
from concurrent import futures
import contextlib
import os
from pathlib import Path
import subprocess
import sys
import threading
from typing import Any

import grpc
import numpy as np
import portpicker
import pytest

from teachers import service, wire
from teachers import service_pb2 as pb
from teachers.base import Teacher

ROOT = Path(__file__).resolve().parents[2]


class Doubler(Teacher):
  """Gives tanh of the first values, and counts its calls."""

  def __init__(self, version: str = '1', gives_gradients: bool = True):
    super().__init__('doubler', version, 3, 2)
    self.calls = 0
    self._gives_gradients = gives_gradients
    self._lock = threading.Lock()

  @property
  def gives(self):
    return super().gives if self._gives_gradients else frozenset(['actions'])

  def actions(self, observations):
    with self._lock:
      self.calls += 1
    return np.tanh(observations[:, : self.action_size])

  def action_gradients(self, observations, actions):
    if not self._gives_gradients:
      return super().action_gradients(observations, actions)
    return self.actions(observations) - actions


class Told:
  """What a client reports, in order."""

  def __init__(self):
    self.messages: list[Any] = []
    self.waits = threading.Event()

  def __call__(self, message):
    self.messages.append(message)
    if message is not None:
      self.waits.set()


@contextlib.contextmanager
def serving(teacher: Teacher, *args: Any, **kwargs: Any) -> Iterator[Any]:
  server = service.serve(teacher, *args, **kwargs)
  try:
    yield server
  finally:
    server.stop(0.5)


Call = Callable[[bytes, grpc.ServicerContext], bytes]


def describe(**changes: Any) -> Call:
  fields = {
    'name': 'doubler', 'version': '1', 'observation_size': 3, 'action_size': 2,
    'gives_actions': True, 'gives_action_gradients': True,
  }  # fmt: skip
  data = pb.Description(**{**fields, **changes}).SerializeToString()
  return lambda request, context: data


def advise(values: Any, version: str = '1') -> Call:
  array = np.asarray(values, np.float32)
  data = pb.Advice(values=wire.encode(array), version=version)
  return lambda request, context: data.SerializeToString()


@contextlib.contextmanager
def fake(**calls: Call) -> Iterator[str]:
  """A service that answers as told; Describe is the Doubler's."""
  server = grpc.server(futures.ThreadPoolExecutor(4))
  handlers = {
    name: grpc.unary_unary_rpc_method_handler(call)
    for name, call in {'Describe': describe(), **calls}.items()
  }
  generic = grpc.method_handlers_generic_handler(wire.SERVICE, handlers)
  server.add_generic_rpc_handlers((generic,))
  port = server.add_insecure_port('127.0.0.1:0')
  server.start()
  try:
    yield f'grpc://127.0.0.1:{port}'
  finally:
    server.stop(0).wait()


class Process:
  """A Doubler in a process of its own, on a fixed port."""

  def __init__(self, version: str = '1'):
    self.port = portpicker.pick_unused_port()
    self.address = f'grpc://127.0.0.1:{self.port}'
    self.version = version
    self.start()

  def start(self) -> None:
    self._process = subprocess.Popen(
      [sys.executable, '-m', __name__, str(self.port), self.version],
      cwd=ROOT,
      env={**os.environ, 'PYTHONPATH': str(ROOT)},
      stdout=subprocess.PIPE,
      text=True,
    )
    assert self._process.stdout is not None
    assert self._process.stdout.readline() == 'up\n'

  def signal(self, number: int) -> None:
    self._process.send_signal(number)

  def kill(self) -> None:
    self._process.kill()
    self._process.communicate()


if __name__ == '__main__':
  running = service.serve(Doubler(sys.argv[2]), f'127.0.0.1:{sys.argv[1]}')
  print('up', flush=True)
  threading.Event().wait()


OBSERVATIONS = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)


class Raw:
  """A client that sends any bytes."""

  def __init__(self, address: str):
    self.channel = grpc.insecure_channel(address, wire.OPTIONS)

  def ask(self, method: str, data: bytes) -> bytes:
    call = self.channel.unary_unary(f'/{wire.SERVICE}/{method}')
    return call(data, timeout=20)

  def refused(self, method: str, data: bytes) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
      self.ask(method, data)
    return caught.value.code(), caught.value.details()

  def check_it_goes_on(self) -> None:
    request = pb.ActionsRequest(observations=wire.encode(OBSERVATIONS))
    reply = self.ask('Actions', request.SerializeToString())
    values = wire.decode('', pb.Advice.FromString(reply).values)
    np.testing.assert_array_equal(values, Doubler().actions(OBSERVATIONS))
