"""A teacher as a gRPC service; `teachers.client` is the other end.

server = serve(teacher, '127.0.0.1:50051')
...
server.stop()
"""

from collections.abc import Callable
from concurrent import futures
import errno
import socket
import sys
import traceback
from typing import Any, Optional

import grpc
import numpy as np

from teachers import checks, credentials, reception, wire
from teachers import service_pb2 as pb
from teachers.base import NotGivenError, Teacher
from teachers.credentials import ServerKeys
from teachers.health import Health
from teachers.reception import Messages, Reception, TokenCheck

_WAITING = 64
"""Calls that wait, for their messages or for a worker."""
_Method = Callable[[bytes], Any]


class Server:
  """A running service.

  Attributes:
    port: it listens on this one.
    address: host:port.
  """

  def __init__(
    self,
    server: grpc.Server,
    health: Health,
    reception: Reception,
    address: str,
  ):
    self._server = server
    self._health = health
    self._reception = reception
    self.address = address
    self.port = credentials.split_address(address)[1]

  def stop(self, grace: float = 5.0) -> None:
    """Refuses new calls; returns when those under way are answered.

    Args:
      grace: seconds, after which the rest are broken off.
    """
    self._health.end()
    self._server.stop(grace).wait()
    self._reception.close()


def serve(
  teacher: Teacher,
  address: str = '127.0.0.1:0',
  *,
  keys: ServerKeys = ServerKeys(),
  max_workers: int = 4,
) -> Server:
  """Starts to answer for a teacher, in threads of this process.

  Args:
    teacher: called from several threads at once.
    address: host:port; port 0 takes a free one.
    keys: for TLS and the token; both are needed beyond loopback.
    max_workers: calls answered at the same time.

  Raises:
    ExposedError: the address is not loopback, and keys are missing.
    ValueError: `address` is none, or no client would take the teacher's task.
    OSError: nothing can listen there, for instance as the port is in use or
      the key is not the certificate's.
  """
  credentials.check_exposure(
    address,
    bool(keys.certificate),
    bool(keys.token),
    'Listen on 127.0.0.1, or give a certificate, its key and a token.',
  )
  check = [TokenCheck(keys.token)] if keys.token else []
  calls = max_workers + _WAITING
  server = grpc.server(
    futures.ThreadPoolExecutor(calls, 'teacher'),
    interceptors=check,
    options=(*wire.OPTIONS, *reception.OPTIONS),
    maximum_concurrent_rpcs=calls,
  )
  desk = Reception(max_workers)
  health = _add_handlers(server, teacher, desk)
  host, _, _ = address.rpartition(':')
  _check_place(address)
  try:
    port = _add_port(server, address, keys)
  except RuntimeError as error:
    raise OSError(
      f'Cannot listen on {address}: {str(error).rstrip(".")}. Is the key not '
      "the certificate's?"
    ) from error
  server.start()
  return Server(server, health, desk, f'{host}:{port}')


def _check_place(address: str) -> None:
  """Refuses where nothing can listen; gRPC writes lines of its own of that."""
  host, port = credentials.split_address(address)
  try:
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    errors = [error for place in places if (error := _try_place(place))]
    for error in errors:
      # One free address of several is enough, but not beside another service.
      if error.errno == errno.EADDRINUSE or len(errors) == len(places):
        raise error
  except OSError as error:
    remedy = (
      'Stop what listens there, or choose another port.'
      if error.errno == errno.EADDRINUSE
      else 'Choose an address of this machine, and a port that is allowed.'
    )
    raise OSError(
      f'Cannot listen on {address}: {error.strerror}. {remedy}'
    ) from error


def _try_place(place: Any) -> Optional[OSError]:
  """Why nothing can listen at an address, as `getaddrinfo` gives it."""
  family, kind, _, _, at = place
  try:
    with socket.socket(family, kind) as probe:
      # Connections of a dead service that linger are no obstacle.
      probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      probe.bind(at)
  except OSError as error:
    return error
  return None


def _add_port(server: grpc.Server, address: str, keys: ServerKeys) -> int:
  if not keys.certificate:
    return server.add_insecure_port(address)
  pair = (keys.key, keys.certificate)
  return server.add_secure_port(address, grpc.ssl_server_credentials([pair]))


def _add_handlers(
  server: grpc.Server, teacher: Teacher, desk: Reception
) -> Health:
  service = _Service(teacher)
  methods: dict[str, _Method] = {
    'Describe': service.describe,
    'Actions': service.actions,
    'ActionGradients': service.action_gradients,
  }
  # Handlers get and give bytes: gRPC would answer what does not parse with
  # INTERNAL, which says that the fault is ours.
  handlers = {
    name: grpc.stream_unary_rpc_method_handler(_guarded(method, desk))
    for name, method in methods.items()
  }
  generic = grpc.method_handlers_generic_handler(wire.SERVICE, handlers)
  server.add_generic_rpc_handlers((generic,))
  return Health(server, desk, wire.SERVICE)


class _Service:
  """The three calls, from bytes to messages."""

  def __init__(self, teacher: Teacher):
    """Raises ValueError if the task is not one that a client would take."""
    self._teacher = teacher
    self._task = None
    if teacher.task is not None:
      self._task = wire.encode_task(teacher.task)
      wire.decode_task(self._task, *teacher.task.spec)

  def describe(self, data: bytes) -> Any:
    wire.parse(pb.DescribeRequest, data)
    teacher = self._teacher
    return pb.Description(
      name=teacher.name,
      version=teacher.version,
      observation_size=teacher.observation_size,
      action_size=teacher.action_size,
      gives_actions='actions' in teacher.gives,
      gives_action_gradients='action_gradients' in teacher.gives,
      task=self._task,
    )

  def actions(self, data: bytes) -> Any:
    request = wire.parse(pb.ActionsRequest, data)
    observations = self._observations(request)
    advice = np.empty(
      (len(observations), self._teacher.action_size), np.float32
    )
    for rows in wire.blocks(len(observations), wire.BLOCK_ROWS):
      advice[rows] = checks.ask_actions(self._teacher, observations[rows])
    return self._advice(advice)

  def action_gradients(self, data: bytes) -> Any:
    request = wire.parse(pb.ActionGradientsRequest, data)
    observations = self._observations(request)
    actions = wire.decode_request(
      'actions', request.actions, self._teacher.action_size, bound=1
    )
    if len(actions) != len(observations):
      raise wire.MessageError(
        f'{len(observations)} observations came with {len(actions)} actions.'
      )
    advice = np.empty_like(actions)
    for rows in wire.blocks(len(observations), wire.BLOCK_ROWS):
      advice[rows] = checks.ask_action_gradients(
        self._teacher, observations[rows], actions[rows]
      )
    return self._advice(advice)

  def _observations(self, request: Any) -> np.ndarray:
    return wire.decode_request(
      'observations', request.observations, self._teacher.observation_size
    )

  def _advice(self, values: np.ndarray) -> Any:
    return pb.Advice(values=wire.encode(values), version=self._teacher.version)


def _guarded(
  method: _Method, desk: Reception
) -> Callable[[Messages, grpc.ServicerContext], bytes]:
  """Answers every error by a status, so that the service goes on."""

  def handle(messages: Messages, context: grpc.ServicerContext) -> bytes:
    data = desk.receive(messages, context)
    with desk.worker(context):
      return answer(data, context)

  def answer(data: bytes, context: grpc.ServicerContext) -> bytes:
    try:
      return method(data).SerializeToString()
    except wire.MessageError as error:
      code, details = grpc.StatusCode.INVALID_ARGUMENT, str(error)
    except NotGivenError as error:
      code, details = grpc.StatusCode.UNIMPLEMENTED, str(error)
    except checks.AdviceRefusedError as error:
      code, details = grpc.StatusCode.INTERNAL, f'The teacher erred: {error}'
    except (Exception, SystemExit) as error:  # Anyone's code may raise it.
      traceback.print_exc(file=sys.stderr)
      code = grpc.StatusCode.INTERNAL
      details = f'The teacher failed: {type(error).__name__}: {error}'
    context.abort(code, wire.printable(details))
    raise AssertionError('abort() returned')

  return handle
