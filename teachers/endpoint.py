"""One service of a remote teacher, and what can go wrong in one call to it."""

from collections.abc import Callable
import threading
import time
from typing import Any, NamedTuple, Optional

import grpc

from datasets.tasks import Task
from teachers import credentials, wire
from teachers import service_pb2 as pb
from teachers.errors import (
  AdviceRefusedError,
  TeacherFailedError,
  TeacherStoppedError,
  WrongTeacherError,
)

DESCRIBE = 'Describe'

POLL = 0.1
"""Seconds between two looks at whether to stop."""
_REST_FIRST, _REST_MOST = 0.5, 30.0
_MAX_WIDTH = 1_000_000

_OPTIONS = (
  *wire.OPTIONS,
  # An error's details come as metadata. Beyond gRPC's own 8 kB they would make
  # RESOURCE_EXHAUSTED of any error.
  ('grpc.max_metadata_size', 1 << 18),
  ('grpc.absolute_max_metadata_size', 1 << 20),
  ('grpc.enable_http_proxy', 0),
  ('grpc.service_config_disable_resolution', 1),
  ('grpc.enable_retries', 0),  # The retries are ours: they can be stopped.
  ('grpc.use_local_subchannel_pool', 1),
  # A service that is back is noticed within about a second.
  ('grpc.initial_reconnect_backoff_ms', 100),
  ('grpc.min_reconnect_backoff_ms', 2_000),
  ('grpc.max_reconnect_backoff_ms', 1_000),
  # A connection whose other end fell silent is given up after 5 s.
  ('grpc.keepalive_time_ms', 20_000),
  ('grpc.keepalive_timeout_ms', 5_000),
)

_ABSENT = (
  grpc.StatusCode.UNAVAILABLE,
  grpc.StatusCode.DEADLINE_EXCEEDED,
  grpc.StatusCode.RESOURCE_EXHAUSTED,
  grpc.StatusCode.CANCELLED,  # What a service that shuts down may say.
)
# What another attempt may mend: a fault of the moment in the teacher's code.
_PASSING = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
# What gRPC says of RESOURCE_EXHAUSTED where nothing is exhausted.
_TOO_LARGE, _TOO_LONG = 'larger than max', 'metadata size exceeds'


class AbsentError(Exception):
  """One service did not answer one call; the message says how."""


class Description(NamedTuple):
  """Who a service says it is; see service.proto."""

  name: str
  version: str
  observation_size: int
  action_size: int
  gives_actions: bool
  gives_action_gradients: bool
  task: Optional[Task]

  def differences(self, wanted: 'Description') -> list[str]:
    """What tells it from another one, for a person."""
    found = [
      f'{name}: {getattr(self, name)}, not {getattr(wanted, name)}'
      for name in self._fields[:-1]
      if getattr(self, name) != getattr(wanted, name)
    ]
    if self.task and wanted.task:
      found += self.task.differences(wanted.task)
    return found


class Endpoint:
  """One service; any thread may call it."""

  def __init__(
    self,
    address: str,
    *,
    token: str,
    root_certificates: Optional[bytes],
    is_stopping: Callable[[], bool],
  ):
    """Opens a channel, which connects at the first call.

    Raises:
      ExposedError: the way to the address needs TLS and a token.
      OSError: the certificates cannot be read.
      ValueError: the address is none.
    """
    credentials.check_exposure(
      address,
      root_certificates is not None,
      bool(token),
      'Set UNDERSTUDY_TEACHER_ROOT_CERTIFICATES to the path of the PEM file '
      'that the service is to be trusted by, and UNDERSTUDY_TEACHER_TOKEN to '
      'its token; or reach it through a tunnel to 127.0.0.1.',
    )
    self.address = f'grpc://{address}'
    target = f'dns:///{address}'  # Else a host named 'unix' would be a scheme.
    if root_certificates is None:
      self._channel = grpc.insecure_channel(target, _OPTIONS)
    else:
      keys = grpc.ssl_channel_credentials(root_certificates)
      self._channel = grpc.secure_channel(target, keys, _OPTIONS)
    self._methods = {
      name: self._channel.unary_unary(f'/{wire.SERVICE}/{name}')
      for name in (DESCRIBE, *wire.METHODS.values())
    }
    self._metadata = credentials.bearer(token)
    self._is_stopping = is_stopping
    self._lock = threading.Lock()
    self._rest, self._rests_until = 0.0, 0.0
    self.description: Optional[Description] = None

  def is_resting(self) -> bool:
    """Whether it failed to answer a moment ago."""
    return time.monotonic() < self._rests_until

  def describe(self, deadline: float) -> Description:
    """Asks who it is.

    Raises:
      AbsentError, TeacherFailedError, TeacherStoppedError: as `call`.
      AdviceRefusedError: it answers no description.
    """
    data = self.call(DESCRIBE, pb.DescribeRequest(), deadline)
    try:
      reply = wire.parse(pb.Description, data)
    except wire.MessageError as error:
      raise AdviceRefusedError(f'{self.address}: {error}') from error
    for text in (reply.name, reply.version):
      if not wire.is_name(text):
        raise AdviceRefusedError(
          f'{self.address} gives {wire.printable(text)!r} as a name or a '
          'version: give 1 to 200 printable characters.'
        )
    for size in (reply.observation_size, reply.action_size):
      if not 1 <= size <= _MAX_WIDTH:
        raise AdviceRefusedError(
          f'{self.address} describes observations or actions of width {size}: '
          f'give 1 to {_MAX_WIDTH}.'
        )
    found = Description(*(getattr(reply, name) for name in Description._fields))
    if not reply.HasField('task'):
      return found._replace(task=None)
    sizes = found.observation_size, found.action_size
    try:
      return found._replace(task=wire.decode_task(reply.task, *sizes))
    except wire.MessageError as error:
      raise AdviceRefusedError(f'{self.address}: {error}') from error

  def check(self, wanted: Description, deadline: float) -> None:
    """Asks who it is after an absence, and whether it is still the same.

    Raises:
      AbsentError, TeacherFailedError, TeacherStoppedError: as `call`.
      AdviceRefusedError: it answers no description.
      WrongTeacherError: it is another one; names both.
    """
    if self.description is not None:
      return
    found = self.describe(deadline)
    differences = found.differences(wanted)
    if differences:
      raise WrongTeacherError(
        f'{self.address} is another teacher than {wanted.name}, which was '
        f'asked before or beside it ({"; ".join(differences)}). Advice of two '
        'teachers must not be mixed: start the same one, or another run.'
      )
    self.description = found

  def call(self, method: str, request: Any, deadline: float) -> bytes:
    """One call.

    Args:
      method: as in service.proto.
      request: its message.
      deadline: seconds.

    Returns:
      The reply's bytes.

    Raises:
      AbsentError: there is no answer; the service rests for a while.
      TeacherFailedError: the answer is an error.
      TeacherStoppedError: the program stops.
    """
    future = self._methods[method].future(
      request.SerializeToString(), timeout=deadline, metadata=self._metadata
    )
    while True:
      try:
        data = future.result(timeout=POLL)
      except grpc.FutureTimeoutError:
        if self._is_stopping():
          future.cancel()
          message = f'Stopped while {self.address} was asked.'
          raise TeacherStoppedError(message) from None
      except (grpc.RpcError, grpc.FutureCancelledError):
        raise self._error(method, future) from None
      else:
        if method != DESCRIBE:  # Which the slowest teacher answers at once.
          self._rest = 0.0
        return data

  def close(self) -> None:
    """Breaks off what is under way."""
    self._channel.close()

  def _error(self, method: str, future: Any) -> Exception:
    code, details = future.code(), wire.printable(future.details() or '')
    message = f'{self.address} {method}: {code.name}: {details}'
    if _TOO_LONG in details:  # Made of an error of its own by our gRPC.
      return TeacherFailedError(message, passing=True)
    if code in _ABSENT and _TOO_LARGE not in details:
      self._take_rest()
      return AbsentError(message)
    return TeacherFailedError(message, passing=code in _PASSING)

  def _take_rest(self) -> None:
    with self._lock:
      self.description = None
      if not self.is_resting():
        self._rest = min(max(2 * self._rest, _REST_FIRST), _REST_MOST)
        self._rests_until = time.monotonic() + self._rest
