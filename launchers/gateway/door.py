"""Who gets through to the gateway: callers with the token, by TLS.

Handlers get parsed messages and answer messages; what does not parse is said to
be so, and nothing that a caller sends reaches gRPC's own parser.
"""

from collections.abc import Awaitable, Callable, Mapping
import functools
import hmac
from typing import Any

import grpc
import grpc.aio

from launchers.gateway import wire
from teachers import credentials, reception
from teachers import wire as messages
from teachers.credentials import ServerKeys

Handler = Callable[[Any, Any], Awaitable[Any]]
"""From a message and its context to a message."""

_CALLS = 4_096  # At the same time.
_CONNECTIONS = 2_048
_OWN = ('grpc.max_allowed_incoming_connections', 'grpc.max_concurrent_streams')
_OPTIONS = (
  *messages.OPTIONS,
  *(pair for pair in reception.OPTIONS if pair[0] not in _OWN),
  (_OWN[0], _CONNECTIONS),
)


async def opened(
  address: str, keys: ServerKeys, handlers: Mapping[str, tuple[type, Handler]]
) -> tuple[Any, int]:
  """A server that answers, and its port.

  Args:
    address: host:port, or unix:PATH, whose other end is on this host.
    keys: for TLS and the token.
    handlers: by the name of the call: what it takes, and what answers it.

  Raises:
    OSError: nothing can listen there.
  """
  check = [_TokenCheck(keys.token)] if keys.token else []
  server = grpc.aio.server(
    interceptors=check, options=_OPTIONS, maximum_concurrent_rpcs=_CALLS
  )
  methods = {
    name: grpc.unary_unary_rpc_method_handler(
      functools.partial(_guarded, message_type, handler),
      response_serializer=lambda message: message.SerializeToString(),
    )
    for name, (message_type, handler) in handlers.items()
  }
  generic = grpc.method_handlers_generic_handler(wire.SERVICE, methods)
  server.add_generic_rpc_handlers((generic,))
  try:
    if keys.certificate:
      pairs = [(keys.key, keys.certificate)]
      trusted = grpc.ssl_server_credentials(
        pairs, keys.clients or None, require_client_auth=bool(keys.clients)
      )
      port = server.add_secure_port(address, trusted)
    else:
      port = server.add_insecure_port(address)
  except RuntimeError as error:
    raise OSError(f'Nothing can listen on {address}: {error}') from error
  await server.start()
  return server, port


async def _guarded(
  message_type: type, handler: Handler, data: bytes, context: Any
) -> Any:
  try:
    return await handler(wire.parse(message_type, data), context)
  except messages.MessageError as error:
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


class _TokenCheck(grpc.aio.ServerInterceptor):
  """Answers calls without the token by UNAUTHENTICATED, whatever they ask."""

  def __init__(self, token: str):
    self._wanted = f'Bearer {token}'.encode()

    async def refuse(data: bytes, context: Any) -> None:
      del data
      await context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        'This run answers only workers that bear its token: --token-file.',
      )

    self._refusal = grpc.unary_unary_rpc_method_handler(refuse)

  async def intercept_service(
    self, continuation: Callable[[Any], Awaitable[Any]], details: Any
  ) -> Any:
    """See `grpc.aio.ServerInterceptor`."""
    metadata = details.invocation_metadata
    given = [value for name, value in metadata if name == credentials.HEADER]
    given_bytes = str(given[0] if len(given) == 1 else '').encode()
    if hmac.compare_digest(given_bytes, self._wanted):
      return await continuation(details)
    return self._refusal
