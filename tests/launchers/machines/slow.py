"""A way to another port that takes its time: bytes come late, in order.

python -m tests.launchers.machines.slow PORT HOST:PORT SECONDS
"""

import asyncio
import sys


async def _carry(
  reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
  """Carries bytes one way, each so many seconds late."""
  loop = asyncio.get_running_loop()
  late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

  async def read() -> None:
    data = b' '
    while data:
      data = await reader.read(1 << 16)
      late.put_nowait((loop.time() + seconds, data))

  reading = asyncio.ensure_future(read())
  try:
    while True:
      due, data = await late.get()
      await asyncio.sleep(due - loop.time())
      if not data:
        break
      writer.write(data)
      await writer.drain()
  finally:
    reading.cancel()
    writer.close()


async def _serve(port: int, address: str, seconds: float) -> None:
  host, _, number = address.rpartition(':')

  async def accept(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
  ) -> None:
    there, back = await asyncio.open_connection(host, int(number))
    await asyncio.gather(
      _carry(reader, back, seconds),
      _carry(there, writer, seconds),
      return_exceptions=True,
    )

  server = await asyncio.start_server(accept, '127.0.0.1', port)
  print('up', flush=True)
  await server.serve_forever()


if __name__ == '__main__':
  asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
