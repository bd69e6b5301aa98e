"""From the gateway's event loop to the curator's thread, and back."""

import asyncio
from collections.abc import Callable
import queue
from typing import NamedTuple

from datasets.files import DamagedFileError
from datasets.packed import Packed, unpack

_MOST = 256  # Episodes that are handed in at the same time.


class Arrival(NamedTuple):
  """An episode that a worker brought.

  Attributes:
    packed: not checked.
    answer: to be told why it is refused, or '' when it is durable.
  """

  packed: Packed
  answer: Callable[[str], None]


class Intake:
  """Where handlers of the loop wait until the curator has looked."""

  def __init__(self, loop: asyncio.AbstractEventLoop):
    """Is empty.

    Args:
      loop: the gateway's.
    """
    self._loop = loop
    self._arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
    self._count = 0

  @property
  def is_full(self) -> bool:
    """Whether no more should be handed in now."""
    return self._count >= _MOST

  def take(self, seconds: float) -> list[Arrival]:
    """What has come in; waits so long for the first of it. The curator's."""
    try:
      taken = [self._arrived.get(timeout=seconds)]
    except queue.Empty:
      return []
    while not self._arrived.empty():
      taken.append(self._arrived.get())
    return taken

  async def hand_in(self, worker: str, data: bytes) -> str:
    """Has the curator look at an episode's file. The loop's.

    Args:
      worker: who brought it.
      data: from anyone.

    Returns:
      Why it is refused; '' when it is durable.
    """
    try:
      packed = unpack(data, f'An episode of {worker}')
    except DamagedFileError as error:
      return str(error)
    answered: asyncio.Future[str] = self._loop.create_future()

    def answer(reason: str) -> None:
      self._loop.call_soon_threadsafe(_settle, answered, reason)

    self._count += 1
    try:
      self._arrived.put(Arrival(packed, answer))
      return await answered
    finally:
      self._count -= 1


def _settle(answered: 'asyncio.Future[str]', reason: str) -> None:
  if not answered.done():  # The worker may have gone.
    answered.set_result(reason)
