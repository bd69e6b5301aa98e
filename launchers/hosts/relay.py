"""The one way out of a run's network namespace, and into it.

Bytes to a teacher and back, and from workers to the gateway.

A process that stays outside, with a Unix socket for each address. It reads and
writes bytes alone: TLS and the token go through it between the two ends.

    python -m launchers.hosts.relay PARENT DIRECTORY HOST:PORT ...
"""

import asyncio
import atexit
from collections.abc import Awaitable, Callable, Sequence
import contextlib
import fcntl
import functools
import os
from pathlib import Path
import resource
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
_WORKERS = 2_048  # Connections of workers to the gateway.
_FILES = 3 * _WORKERS  # Open ones at most, of which a connection takes two.
_CHUNK = 1 << 18  # Bytes.
_FIRST_SECONDS = 10.0  # Until a connection says something: clients begin.
_CONNECT_SECONDS = 10.0
_UP = b'up\n'

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def start(addresses: Sequence[str]) -> dict[str, str]:
  """Starts a relay that ends with this process.

  Args:
    addresses: 'host:port' each, or a `relays.way_in`.

  Returns:
    The path of each one's Unix socket.

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
  _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
  resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, most), most))
  slots = asyncio.Semaphore(_CONNECTIONS)
  for address, path in _sockets(directory, addresses).items():
    port = relays.port_of(address)
    if port is None:
      await asyncio.start_unix_server(
        functools.partial(_relay, functools.partial(_dial, address), slots),
        path,
        limit=_CHUNK,
      )
      continue
    host, number = _split(port)
    inwards = functools.partial(
      asyncio.open_unix_connection, path, limit=_CHUNK
    )
    await asyncio.start_server(
      functools.partial(_relay, inwards, asyncio.Semaphore(_WORKERS)),
      host,
      number,
      limit=_CHUNK,
    )
  os.write(sys.stdout.fileno(), _UP)
  await asyncio.Event().wait()  # A signal ends it.


def _split(address: str) -> tuple[str, int]:
  host, _, port = address.rpartition(':')
  return host.strip('[]'), int(port)


async def _dial(address: str) -> _Streams:
  return await asyncio.open_connection(*_split(address), limit=_CHUNK)


async def _relay(
  dial: Callable[[], Awaitable[_Streams]],
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
    try:
      first = await asyncio.wait_for(reader.read(_CHUNK), _FIRST_SECONDS)
      if not first:  # Somebody knocked, to see whether this process lives.
        return
      there, back = await asyncio.wait_for(dial(), _CONNECT_SECONDS)
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
