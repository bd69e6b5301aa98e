"""Reverb's server, one a port."""

from typing import Any

from datasets import ports
from datasets.replay_connection import COLLECTED, INCARNATION, REPLAY, reverb

# No bound of items: a full queue would drop its oldest item silently.
_UNBOUNDED = (1 << 31) - 1


class _NoCheckpointer:
  """Reverb's own checkpointer would leave a directory behind."""

  def internal_checkpointer(self) -> None:
    return None


class ReplayServer:
  """A Reverb server that holds the lock of its port."""

  def __init__(self, port: int, incarnation: str):
    """Starts the server.

    Args:
      port: on all interfaces; Reverb offers no choice of the host.
      incarnation: a name unlike that of any server before.

    Raises:
      PortInUseError: another server is there.
    """
    self._lock = ports.PortLock(port)
    names = (COLLECTED, REPLAY, INCARNATION + incarnation)
    self._server = reverb.Server(
      [_queue(name) for name in names], port, _NoCheckpointer()
    )

  @property
  def port(self) -> int:
    """Where it listens."""
    return self._server.port

  def stop(self) -> None:
    """Stops serving and releases the port; the data is gone."""
    if self._server is not None:
      self._server.stop()
      self._server = None
    self._lock.release()


def make_server(port: int, incarnation: str) -> ReplayServer:
  """Starts the server of a program; keep it, and `stop` it."""
  return ReplayServer(port, incarnation)


def _queue(name: str) -> Any:
  return reverb.Table(
    name,
    sampler=reverb.selectors.Fifo(),
    remover=reverb.selectors.Fifo(),
    max_size=_UNBOUNDED,
    rate_limiter=reverb.rate_limiters.MinSize(1),
    max_times_sampled=1,
  )
