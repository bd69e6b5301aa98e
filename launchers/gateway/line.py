"""Workers that wait for orders: the first in the line gets the next."""

import asyncio
import collections
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Optional

from launchers.gateway import wire

Find = Callable[[str, int], Awaitable[Optional[Any]]]
"""From a worker and the most that it can take to its order; None: there is none
now."""

_PAUSE = 0.05  # Seconds between two looks for orders, while somebody waits.


class _Waiting(NamedTuple):
  worker: str
  most: int
  order: 'asyncio.Future[Any]'


class Line:
  """Of one kind of orders. All of it is the gateway's loop's."""

  def __init__(self, find: Find, gone: Callable[[str], Awaitable[Any]]):
    """Nobody waits yet.

    Args:
      find: finds an order; it may raise, and is asked again.
      gone: told of a worker that was found an order and does not wait any more.
    """
    self._find = find
    self._gone = gone
    self._waiting: collections.deque[_Waiting] = collections.deque()

  async def wait(self, worker: str, most: int) -> Optional[Any]:
    """An order for the worker; None: there was none for a while."""
    order: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    self._waiting.append(_Waiting(worker, most, order))
    try:
      return await asyncio.wait_for(order, wire.WAIT_SECONDS)
    except asyncio.TimeoutError:
      return None

  async def serve(self) -> None:
    """Gives out what there is, for ever."""
    while True:
      while self._waiting and self._waiting[0].order.done():
        self._waiting.popleft()
      order = None
      if self._waiting:
        worker, most, _ = self._waiting[0]
        try:
          order = await self._find(worker, most)
        except Exception as error:  # Courier's, of any kind: it asks again.
          print(f'No order from the conductor: {error}', flush=True)
      if order is None:
        await asyncio.sleep(_PAUSE)
        continue
      waiting = self._waiting.popleft()
      if waiting.order.done():  # It has gone, or asks again.
        await self._gone(waiting.worker)
      else:
        waiting.order.set_result(order)
