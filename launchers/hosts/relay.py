"""The one way out of a run's network namespace: bytes to a teacher and back.

A process that stays outside, with a Unix socket for each address. It reads and
writes bytes alone: TLS and the token go through it between the two ends.

    python -m launchers.hosts.relay PARENT DIRECTORY HOST:PORT ...
"""

import asyncio
import atexit
from collections.abc import Sequence
import contextlib
import fcntl
import functools
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Any

from datasets import relays
from launchers.hosts import process

_PREFIX = 'understudy-relay-'
_LONGEST = 107  # Bytes of a Unix socket's path, says the kernel.
_CONNECTIONS = 256  # Of all nodes of a run; a service of ours takes no more.
_CHUNK = 1 << 18  # Bytes.
_FIRST_SECONDS = 10.0  # Until a connection says something: clients begin.
_CONNECT_SECONDS = 10.0
_UP = b'up\n'


def start(addresses: Sequence[str]) -> dict[str, str]:
  """Starts a relay that ends with this process.

  Args:
    addresses: 'host:port' each.

  Returns:
    The path of the Unix socket that leads to each.

  Raises:
    OSError: it did not start.
  """
  _clear()
  # Not below the run's directory, whose path may be longer than a socket's.
  directory = tempfile.mkdtemp(prefix=_PREFIX)
  lock = os.open(directory, os.O_RDONLY)
  try:
    fcntl.flock(lock, fcntl.LOCK_EX)  # The relay's, as long as it lives.
    sockets = _sockets(directory, addresses)
    _launch(directory, addresses, lock)
  except BaseException:
    shutil.rmtree(directory, ignore_errors=True)
    raise
  finally:
    os.close(lock)
  return sockets


def tidy_at_exit() -> None:
  """Leaves no socket behind where the relay was killed and could not."""
  for path in (relays.announced() or {}).values():
    atexit.register(shutil.rmtree, Path(path).parent, ignore_errors=True)


def _clear() -> None:
  """Removes what relays left that were killed together with their runs."""
  for directory in Path(tempfile.gettempdir()).glob(f'{_PREFIX}*'):
    with contextlib.suppress(OSError):  # Its relay lives, or it is another's.
      lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
      try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory)
      finally:
        os.close(lock)


def _sockets(directory: str, addresses: Sequence[str]) -> dict[str, str]:
  """The path of each address's socket; raises OSError if it is too long."""
  paths = [str(Path(directory, str(n))) for n, _ in enumerate(addresses)]
  length = max(len(os.fsencode(path)) for path in paths)
  if length > _LONGEST:
    raise OSError(
      f'The path {paths[-1]} has {length} bytes, and a socket can have '
      f'{_LONGEST}: set TMPDIR to a shorter one.'
    )
  return dict(zip(addresses, paths, strict=True))


def _launch(directory: str, addresses: Sequence[str], lock: int) -> None:
  words = [
    sys.executable, '-m', __name__, str(os.getpid()), directory, *addresses,
  ]  # fmt: skip
  relay = subprocess.Popen(
    words,
    cwd=process.ROOT,
    pass_fds=(lock,),
    start_new_session=True,  # Ctrl-C is for the run, which needs it to stop.
    stdin=subprocess.DEVNULL,
    stdout=subprocess.PIPE,
  )
  assert relay.stdout is not None
  if relay.stdout.readline() != _UP:
    raise OSError(f'No relay to {", ".join(addresses)}: see the lines above.')


async def _serve(directory: str, addresses: Sequence[str]) -> None:
  slots = asyncio.Semaphore(_CONNECTIONS)
  for address, path in _sockets(directory, addresses).items():
    await asyncio.start_unix_server(
      functools.partial(_relay, address, slots), path, limit=_CHUNK
    )
  os.write(sys.stdout.fileno(), _UP)
  await asyncio.Event().wait()  # A signal ends it.


async def _relay(
  address: str,
  slots: asyncio.Semaphore,
  reader: asyncio.StreamReader,
  writer: asyncio.StreamWriter,
) -> None:
  """One connection, until either end closes it."""
  async with contextlib.AsyncExitStack() as stack:
    stack.callback(writer.close)
    if slots.locked():
      return
    await stack.enter_async_context(slots)
    host, _, port = address.rpartition(':')
    try:
      first = await asyncio.wait_for(reader.read(_CHUNK), _FIRST_SECONDS)
      if not first:  # Somebody knocked, to see whether this process lives.
        return
      there, back = await asyncio.wait_for(
        asyncio.open_connection(host.strip('[]'), int(port), limit=_CHUNK),
        _CONNECT_SECONDS,
      )
    except (OSError, asyncio.TimeoutError):
      return  # Closed at once, which the client takes for what it is: away.
    stack.callback(back.close)
    back.write(first)
    pumps = [
      asyncio.ensure_future(_pump(reader, back)),
      asyncio.ensure_future(_pump(there, writer)),
    ]
    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    for pump in pumps:
      pump.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(
  reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
  while data := await reader.read(_CHUNK):
    writer.write(data)
    await writer.drain()


def main() -> None:
  """Runs until its parent ends."""
  parent, directory, *addresses = sys.argv[1:]

  def end(*_: Any) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(0)  # At once: a look-up of a name may take a minute to end.

  signal.signal(signal.SIGTERM, end)
  try:
    process.end_with_parent(int(parent), signal.SIGTERM)
    asyncio.run(_serve(directory, addresses))
  finally:
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == '__main__':
  main()
