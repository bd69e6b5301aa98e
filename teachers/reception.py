"""Who gets as far as a teacher's worker: callers that bear its token, in time.

gRPC gives a call a thread before its message is there, so a few calls that
never send one would hold all of them. Here a call waits for its message in a
thread of many, for some seconds at most, and only then for one of the few
workers. One without the token is refused before it gets either.
"""

from collections.abc import Callable, Iterator
from concurrent import futures
import contextlib
import hmac
import threading
import time
from typing import Any, Optional

import grpc

from teachers import credentials

OPTIONS = (
  # A second server on a port in use must fail, not take half of its calls.
  ('grpc.so_reuseport', 0),
  # Clients may ask whether we are there at every 5 s; gRPC's default is 300.
  ('grpc.http2.min_recv_ping_interval_without_data_ms', 5_000),
  # Connections cost files and memory, and strangers can open them.
  ('grpc.max_allowed_incoming_connections', 256),
  ('grpc.max_concurrent_streams', 128),
  ('grpc.server_handshake_timeout_ms', 10_000),
  ('grpc.max_connection_idle_ms', 60_000),
  # One whose other end fell silent is given up after 5 s.
  ('grpc.keepalive_time_ms', 20_000),
  ('grpc.keepalive_timeout_ms', 5_000),
)
MESSAGE_SECONDS = 10.0
"""For which a call's message may take, from the call's beginning."""
WORKER_SECONDS = 60.0
"""For which a call may wait for a worker; most clients give it less."""
_LOOK_SECONDS = 0.5  # Between two looks at who is late.

Messages = Iterator[bytes]


class TokenCheck(grpc.ServerInterceptor):
  """Answers calls without the token by UNAUTHENTICATED, whatever they ask."""

  def __init__(self, token: str):
    self._wanted = f'Bearer {token}'.encode()

    def refuse(messages: Messages, context: grpc.ServicerContext) -> None:
      del messages
      context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        'This teacher answers only calls that bear its token.',
      )

    # In a thread of its own, and without a look at the message.
    behaviour: Any = refuse
    behaviour.experimental_thread_pool = futures.ThreadPoolExecutor(
      1, 'refusals'
    )
    self._refusal = grpc.stream_unary_rpc_method_handler(behaviour)

  def intercept_service(
    self, continuation: Callable[[Any], Any], details: Any
  ) -> Optional[Any]:
    """See `grpc.ServerInterceptor`."""
    metadata = details.invocation_metadata
    given = [value for name, value in metadata if name == credentials.HEADER]
    given_bytes = str(given[0] if len(given) == 1 else '').encode()
    if hmac.compare_digest(given_bytes, self._wanted):
      return continuation(details)
    return self._refusal


class Reception:
  """Where calls wait for their messages, and then for a worker.

  A handler that uses it, as `grpc.stream_unary_rpc_method_handler` takes one:

      def handle(messages, context):
        data = reception.receive(messages, context)
        with reception.worker(context):
          return answer(data)
  """

  def __init__(self, workers: int):
    """Starts the thread that looks at the time.

    Args:
      workers: calls answered at the same time.
    """
    self._workers = threading.BoundedSemaphore(workers)
    self._late: dict[grpc.ServicerContext, float] = {}
    self._closed = threading.Event()
    threading.Thread(target=self._look, name='late', daemon=True).start()

  def receive(self, messages: Messages, context: grpc.ServicerContext) -> bytes:
    """The message of a call.

    Raises:
      grpc.RpcError: the call ended first, or it was late and is ended.
    """
    self._late[context] = time.monotonic() + MESSAGE_SECONDS
    try:
      data = next(messages, None)
    finally:
      del self._late[context]
    if data is not None:
      return data
    # It raises, which its type does not say.
    return context.abort(
      grpc.StatusCode.INVALID_ARGUMENT, 'The call has no message: send one.'
    )

  @contextlib.contextmanager
  def worker(self, context: grpc.ServicerContext) -> Iterator[None]:
    """Holds a worker, as soon as there is one; ends the call otherwise."""
    seconds = min(context.time_remaining() or 0.0, WORKER_SECONDS)
    if not self._workers.acquire(timeout=seconds):
      context.abort(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        f'All workers were busy for {seconds:.1f} s.',
      )
    try:
      if not context.is_active():  # Nobody waits for the answer any more.
        context.abort(grpc.StatusCode.CANCELLED, 'The caller is gone.')
      yield
    finally:
      self._workers.release()

  def close(self) -> None:
    """Ends the thread."""
    self._closed.set()

  def _look(self) -> None:
    while not self._closed.wait(_LOOK_SECONDS):
      now = time.monotonic()
      for context, until in list(self._late.items()):
        if now > until:
          context.cancel()
