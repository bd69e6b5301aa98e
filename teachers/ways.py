"""The way to a service: by itself, or out of a network namespace by a relay."""

from typing import Any, Optional

import grpc

from datasets import relays
from teachers import credentials, wire

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


class Way:
  """A channel, which connects at its first call.

  Attributes:
    channel: to the service.
    note: what a person has to know of it where the service does not answer.
  """

  def __init__(self, address: str, root_certificates: Optional[bytes]):
    """Finds it.

    Args:
      address: 'host:port'.
      root_certificates: PEM, by which the service is known; None: no TLS.

    Raises:
      ValueError: there is none.
    """
    sockets = relays.announced()
    self._relay = (sockets or {}).get(address)
    self.channel = _channel(address, self._relay, root_certificates)
    self.note = ''
    if sockets is None or self._relay:
      return
    if not credentials.is_loopback(address):
      raise ValueError(
        f'{address} cannot be reached from within the network namespace of '
        f'this run, whose ways out lead to {sorted(sockets)}: whoever asks it '
        'names it in `Teacher.reaches` when the run starts.'
      )
    # It may be of this run's own nodes, or of a teacher's own processes.
    self.note = (
      ' (within the network namespace of this run; one outside of it has to be '
      'named in `Teacher.reaches`)'
    )

  def is_cut(self) -> bool:
    """Whether the relay has ended on which it depends."""
    return bool(self._relay) and not relays.is_up(str(self._relay))


def _channel(
  address: str, relay: Optional[str], root_certificates: Optional[bytes]
) -> grpc.Channel:
  # Else a host named 'unix' would be a scheme.
  target = f'dns:///{address}'
  options: tuple[tuple[str, Any], ...] = _OPTIONS
  if relay:
    # Whoever answers at the other end must prove to be who he is all the same.
    target = f'unix:{relay}'
    options += (('grpc.default_authority', address),)
  if root_certificates is None:
    return grpc.insecure_channel(target, options)
  keys = grpc.ssl_channel_credentials(root_certificates)
  return grpc.secure_channel(target, keys, options)
