"""A network of its own for a program whose nodes trust every peer."""

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

from launchers.hosts import process
from launchers.hosts.early import STOPS

_ISOLATED = 'UNDERSTUDY_ISOLATED'
_COMMAND = 'UNDERSTUDY_COMMAND'
_UP_AND_RUNNING, _SIOCSIFFLAGS = 0x41, 0x8914  # IFF_UP | IFF_RUNNING.


def enter(module: str, is_open: bool, console: Console) -> None:
  """Starts `module` again inside a network namespace that only it can reach.

  Courier and Reverb listen on every interface and trust every peer. Where the
  kernel allows no namespace, the program goes on and says so.

  Args:
    module: the command, as `python -m` takes it, with this process's arguments.
    is_open: whether others are to be reached: the program stays outside.
    console: is warned of open ports.
  """
  if os.environ.get(_ISOLATED):
    _raise_loopback()
    return
  unshare = shutil.which('unshare')
  prefix = [unshare or '', '--map-root-user', '--net']
  if unshare and not is_open:
    works = subprocess.run(
      [*prefix, 'true'], capture_output=True, timeout=10, check=False
    )
    if works.returncode == 0:
      os.environ[_COMMAND] = command(module)
      os.environ[_ISOLATED] = '1'
      sys.stdout.flush()
      # Until it listens again, see `launchers.hosts.early`.
      signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
      os.execv(unshare, [*prefix, sys.executable, '-m', module, *sys.argv[1:]])
  console.print(
    '[bold yellow]The ports of this run are open on every interface and trust '
    'whoever connects.[/] Run it only where the network is yours.'
  )


def command(module: str) -> str:
  """What the person typed, or would have."""
  typed = f'{process.program(module)} {shlex.join(sys.argv[1:])}'.strip()
  return os.environ.get(_COMMAND, typed)


def _raise_loopback() -> None:
  """A new namespace's loopback interface is down."""
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    request = struct.pack('16sh14x', b'lo', _UP_AND_RUNNING)
    fcntl.ioctl(control, _SIOCSIFFLAGS, request)
