"""The one way out of a run's network namespace: bytes to a teacher and back.

A process that stays outside, with a Unix socket for each address. It reads and
writes bytes alone: TLS and the token go through it between the two ends.

    python -m launchers.hosts.relay PARENT DIRECTORY HOST:PORT ...
"""

import asyncio
from collections.abc import Sequence
import contextlib
import functools
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile

from datasets import relays
from launchers.hosts import process

_CONNECTIONS = 64  # Of all nodes of a run; each has one or two.
_CHUNK = 1 << 18  # Bytes.
_CONNECT_SECONDS = 10.0
_UP = b'up\n'


def start(addresses: Sequence[str]) -> None:
  """Starts a relay that ends with this process; announces its sockets.

  Args:
    addresses: 'host:port' each.

  Raises:
    OSError: it did not start.
  """
  # Not below the run's directory: a socket's path has at most 107 bytes.
  directory = tempfile.mkdtemp(prefix='understudy-relay-')
  relay = subprocess.Popen(
    [
      sys.executable, '-m', __name__, str(os.getpid()), directory, *addresses,
    ],
    stdin=subprocess.DEVNULL,
    stdout=subprocess.PIPE,
  )  # fmt: skip
  assert relay.stdout is not None
  if relay.stdout.readline() != _UP:
    raise OSError(f'No relay to {", ".join(addresses)}: see the lines above.')
  relays.announce(_paths(directory, addresses))


def _paths(directory: str, addresses: Sequence[str]) -> dict[str, str]:
  return {
    address: str(Path(directory, str(number)))
    for number, address in enumerate(addresses)
  }


async def _serve(directory: str, addresses: Sequence[str]) -> None:
  slots = asyncio.Semaphore(_CONNECTIONS)
  for address, path in _paths(directory, addresses).items():
    await asyncio.start_unix_server(
      functools.partial(_relay, address, slots), path, limit=_CHUNK
    )
  stop = asyncio.Event()
  asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
  os.write(sys.stdout.fileno(), _UP)
  await stop.wait()


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
      there, back = await asyncio.wait_for(
        asyncio.open_connection(host.strip('[]'), int(port), limit=_CHUNK),
        _CONNECT_SECONDS,
      )
    except (OSError, asyncio.TimeoutError):
      return  # Closed at once, which the client takes for what it is: away.
    stack.callback(back.close)
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
  for number in (signal.SIGINT, signal.SIGHUP):  # The run answers these.
    signal.signal(number, signal.SIG_IGN)
  try:
    process.end_with_parent(int(parent), signal.SIGTERM)
    asyncio.run(_serve(directory, addresses))
  finally:
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == '__main__':
  main()
