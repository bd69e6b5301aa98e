"""A network of its own for a program whose nodes trust every peer."""

from collections.abc import Callable, Collection
import fcntl
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys

from rich.console import Console

from datasets import relays
from launchers.hosts import process, relay
from launchers.hosts.early import STOPS

_ISOLATED = 'UNDERSTUDY_ISOLATED'
_COMMAND = 'UNDERSTUDY_COMMAND'
_UP, _UP_AND_RUNNING = 0x1, 0x41  # IFF_UP, IFF_UP | IFF_RUNNING.
_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914


def enter(
  module: str,
  is_open: bool,
  console: Console,
  reached: Callable[[], Collection[str]] = tuple,
) -> None:
  """Starts `module` again inside a network namespace that only it can reach.

  Courier and Reverb listen on every interface and trust every peer. Where the
  kernel allows no namespace, the program goes on and says so.

  Args:
    module: the command, as `python -m` takes it, with this process's arguments.
    is_open: whether others are to reach it: the program stays outside.
    console: is warned of open ports.
    reached: gives the services, as host:port, that it asks all the same; called
      outside alone.
  """
  outer = os.environ.pop(_ISOLATED, '')
  if outer.startswith(f'{os.getpid()} '):  # An inherited one says nothing.
    if outer != _here() and _is_cut_off():
      _raise_loopback()
      relay.tidy_at_exit()
      return
    is_open = True
  relays.forget()
  unshare = shutil.which('unshare')
  prefix = [unshare or '', '--map-root-user', '--net']
  if unshare and not is_open:
    works = subprocess.run(
      [*prefix, 'true'], capture_output=True, timeout=10, check=False
    )
    if works.returncode == 0:
      addresses = sorted(reached())
      relays.announce(relay.start(addresses) if addresses else {})
      os.environ[_COMMAND] = command(module)
      os.environ[_ISOLATED] = _here()
      sys.stdout.flush()
      # Until it listens again, see `launchers.hosts.early`.
      signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
      os.execv(unshare, [*prefix, sys.executable, '-m', module, *sys.argv[1:]])
  console.print(
    '[bold yellow]The ports of this run are open on every interface and trust '
    'whoever connects.[/] Run it only where the network is yours.',
    soft_wrap=True,
  )


def command(module: str) -> str:
  """What the person typed, or would have."""
  typed = f'{process.program(module)} {shlex.join(sys.argv[1:])}'.strip()
  return os.environ.get(_COMMAND, typed)


def _here() -> str:
  """This process and the network namespace that it is in."""
  place = os.stat('/proc/self/ns/net')
  return f'{os.getpid()} {place.st_dev} {place.st_ino}'


def _is_cut_off() -> bool:
  """Whether nothing but the loopback interface is up."""
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    for _, name in socket.if_nameindex():
      request = struct.pack('16sh14x', name.encode(), 0)
      reply = fcntl.ioctl(control, _SIOCGIFFLAGS, request)
      _, flags = struct.unpack('16sh14x', reply)
      if name != 'lo' and flags & _UP:
        return False
  return True


def _raise_loopback() -> None:
  """A new namespace's loopback interface is down."""
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    request = struct.pack('16sh14x', b'lo', _UP_AND_RUNNING)
    fcntl.ioctl(control, _SIOCSIFFLAGS, request)
