"""How a service answers whoever asks whether it is well.

As grpc.health.v1 says. The handlers that come with gRPC would wait for a
message for ever, and hold a lock while they send, on which a stop may hang.
"""

from collections.abc import Callable
import functools
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from teachers import wire
from teachers.reception import Messages, Reception

_Reply = health_pb2.HealthCheckResponse


class Health:
  """The health of one service: it is well until it ends."""

  def __init__(self, server: grpc.Server, desk: Reception, service: str):
    """Has the server tell it.

    Args:
      server: not yet started.
      desk: where its calls wait.
      service: its name.
    """
    self._desk = desk
    self._names = ('', service)
    self._status = _Reply.SERVING
    self._watchers: set[Callable[[Any], None]] = set()
    # A watch lasts as long as its client: it must not hold a thread.
    watch: Any = functools.partial(self._watch)  # Methods take no attributes.
    watch.experimental_non_blocking = True
    handlers = {
      'Check': grpc.stream_unary_rpc_method_handler(
        self._check, response_serializer=_Reply.SerializeToString
      ),
      'Watch': grpc.stream_stream_rpc_method_handler(
        watch, response_serializer=_Reply.SerializeToString
      ),
    }
    name = health_pb2.DESCRIPTOR.services_by_name['Health'].full_name
    server.add_generic_rpc_handlers(
      (grpc.method_handlers_generic_handler(name, handlers),)
    )

  def end(self) -> None:
    """Tells whoever watches that it serves no longer."""
    self._status = _Reply.NOT_SERVING
    for send in list(self._watchers):
      send(_Reply(status=self._status))

  def _check(self, messages: Messages, context: grpc.ServicerContext) -> Any:
    name = self._name(messages, context)
    if name not in self._names:
      context.abort(
        grpc.StatusCode.NOT_FOUND,
        f'No service {wire.printable(name)!r}; there is {self._names[1]!r}.',
      )
    return _Reply(status=self._status)

  def _watch(
    self,
    messages: Messages,
    context: grpc.ServicerContext,
    send_response_callback: Callable[[Any], None],
  ) -> None:
    send, name = send_response_callback, self._name(messages, context)
    if name not in self._names:
      send(_Reply(status=_Reply.SERVICE_UNKNOWN))
      return
    self._watchers.add(send)
    if not context.add_callback(lambda: self._watchers.discard(send)):
      self._watchers.discard(send)  # It has ended meanwhile.
    send(_Reply(status=self._status))

  def _name(self, messages: Messages, context: grpc.ServicerContext) -> str:
    data = self._desk.receive(messages, context)
    try:
      return wire.parse(health_pb2.HealthCheckRequest, data).service
    except wire.MessageError as error:
      context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
      raise AssertionError('abort() returned') from error
