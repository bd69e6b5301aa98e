"""One server a port.

Reverb's server binds with SO_REUSEPORT: a second one on the same port starts
without an error, and clients land on either. So a lock is taken first, and a
bind without that option is tried.
"""

import contextlib
import errno
import pathlib
import socket
import struct


class PortInUseError(RuntimeError):
  """Another server listens on the port, or is about to."""


class PortLock:
  """The exclusive right of this process to serve on a port.

  The lock is a name in Linux's abstract namespace of sockets: like ports, such
  names belong to a network namespace; they are no files, and the kernel
  releases them when the process ends, however it ends.
  """

  def __init__(self, port: int):
    """Takes the lock.

    Args:
      port: the port.

    Raises:
      PortInUseError: someone else has it, or listens on the port without it.
    """
    name = f'\0understudy-port-{port}'
    self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
      try:
        self._socket.bind(name)
      except OSError as error:
        if error.errno != errno.EADDRINUSE:
          raise
        raise _in_use(port, _holder(name)) from None
      self._socket.listen()  # So that `_holder` can ask who it is.
      _check_bind(port)
    except BaseException:
      self.release()
      raise

  def release(self) -> None:
    """Gives the port back; more than once does no harm."""
    self._socket.close()


def check_port(port: int) -> None:
  """Raises PortInUseError if a server could not be started on the port."""
  PortLock(port).release()


def _holder(name: str) -> str:
  """The process that holds a lock, as far as the kernel tells."""
  credentials = struct.Struct('3i')
  try:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
      client.connect(name)
      option = socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size
      process, _, _ = credentials.unpack(client.getsockopt(*option))
    command = pathlib.Path(f'/proc/{process}/cmdline').read_bytes()
  except OSError:
    return 'another process'
  words = command.decode(errors='replace').split('\0')
  return f'process {process} ({" ".join(words)[:80].strip()})'


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
