"""One server a port.

Reverb's server binds with SO_REUSEPORT: a second one on the same port starts
without an error, and clients land on either. So a lock is taken first, and a
bind without that option is tried.
"""

import contextlib
import errno
import fcntl
import os
import pathlib
import socket
import tempfile


class PortInUseError(RuntimeError):
  """Another server listens on the port, or is about to."""


class PortLock:
  """The exclusive right of this process to serve on a port of this machine.

  The kernel releases it when the process ends, however it ends.
  """

  def __init__(self, port: int, holder: str):
    """Takes the lock.

    Args:
      port: the port.
      holder: who takes it, for the error of whoever is refused.

    Raises:
      PortInUseError: someone else has it, or listens on the port without it.
    """
    self._descriptor = -1
    path = _lock_path(port)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
      _check_bind(port)
      os.ftruncate(descriptor, 0)
      os.pwrite(descriptor, f'process {os.getpid()}, {holder}'.encode(), 0)
    except BlockingIOError:
      text = os.pread(descriptor, 200, 0).decode(errors='replace')
      os.close(descriptor)
      raise _in_use(port, text or 'another process') from None
    except BaseException:
      os.close(descriptor)
      raise
    self._descriptor = descriptor

  def release(self) -> None:
    """Gives the port back; more than once does no harm."""
    if self._descriptor >= 0:
      # The file stays: whoever waits for its lock must find this very file.
      os.close(self._descriptor)
      self._descriptor = -1

  def __del__(self) -> None:
    self.release()


def check_port(port: int) -> None:
  """Raises PortInUseError if a server could not be started on the port."""
  PortLock(port, 'checking').release()


def _lock_path(port: int) -> pathlib.Path:
  directory = pathlib.Path(tempfile.gettempdir())
  return directory / f'understudy-{os.getuid()}-port-{port}.lock'


def _check_bind(port: int) -> None:
  addresses = [(socket.AF_INET, '0.0.0.0')]
  if socket.has_ipv6:
    addresses.append((socket.AF_INET6, '::'))
  for family, address in addresses:
    with contextlib.closing(_socket(family)) as probe:
      try:
        probe.bind((address, port))
      except OSError as error:
        if error.errno == errno.EADDRINUSE:
          raise _in_use(port, 'a process that is no part of this') from None
        if error.errno != errno.EADDRNOTAVAIL:  # A machine without IPv6.
          raise


def _socket(family: socket.AddressFamily) -> socket.socket:
  probe = socket.socket(family, socket.SOCK_STREAM)
  # Connections of a dead server that linger are no obstacle; listeners are.
  probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
  if family == socket.AF_INET6:
    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
  return probe


def _in_use(port: int, holder: str) -> PortInUseError:
  return PortInUseError(
    f'Port {port} is in use by {holder}. Stop it, or choose another port: two '
    'servers on one port would each get a part of the data.'
  )
