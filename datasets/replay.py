"""Every Reverb table, writer and reader of the system.

Reverb carries episodes between processes; it is never the truth. A server has
two queues, `collected` and `replay`, and an incarnation: a server that was
killed and came back empty is another incarnation, and whoever wrote to the old
one is told (Reverb itself raises nothing). An item is a whole episode in the
bytes of its file, so what arrives has its digest checked.

An item is delivered once, and is lost with the reader that took it: what must
not be lost is collected or restored again by whoever misses it.

No call here blocks for longer than a second or so, but for a `write` whose
server does not confirm: that takes some seconds until the server is known to
be lost. Signal handlers run meanwhile, and may raise.
"""

from collections.abc import Sequence
import itertools
import queue
import threading
import time
from typing import Any

import numpy as np

from datasets.packed import Packed, pack, unpack
from datasets.ports import PortInUseError, check_port
from datasets.replay_connection import (
  COLLECTED,
  REPLAY,
  SILENT_SECONDS,
  Connection,
  ReplayLostError,
  reverb,
)
from datasets.replay_server import ReplayServer, make_server
from datasets.types import Episode

__all__ = [
  'COLLECTED',
  'REPLAY',
  'EpisodeReader',
  'EpisodeWriter',
  'PortInUseError',
  'ReplayLostError',
  'ReplayServer',
  'check_port',
  'make_server',
]

_MAX_BYTES = 1 << 30  # Messages of twice that size cannot be sent.
_SLICE_SECONDS = 0.5  # Of a wait, after each of which the server is checked.
_BYTES_PER_SECOND = 10e6  # What a slow network confirms.


class EpisodeWriter:
  """Puts whole episodes into a table.

  ```python
  writer = EpisodeWriter('localhost:8000', 'collected', incarnation)
  writer.write(episode)  # The server has it when this returns.
  ```
  """

  def __init__(
    self, address: str, table: str, incarnation: str, patience: float = 30.0
  ):
    """Makes a writer; the server may still be starting.

    Args:
      address: host:port of the server.
      table: `collected` or `replay`.
      incarnation: of the server.
      patience: seconds to wait for a server that was never reached.
    """
    self._connection = Connection(address, table, incarnation, patience)
    self._table = table
    self._writer: Any = None
    self._size = 0

  def write(self, episode: Episode) -> None:
    """Writes an episode, and returns when the server has confirmed it.

    Args:
      episode: of any kind; whoever reads it checks it.

    Raises:
      ReplayLostError: it may not have arrived, and nothing after it will.
      ValueError: it is too big to be sent.
    """
    self.write_all([pack(episode)])

  def write_all(self, episodes: Sequence[Packed]) -> None:
    """`write` of many, which are confirmed together."""
    for episode, data, _ in episodes:
      if len(data) > _MAX_BYTES:
        raise ValueError(
          f'{episode.identity} has {len(data):,} bytes; at most '
          f'{_MAX_BYTES:,} can be sent. Make the episodes shorter.'
        )
    self._connection.await_answer()
    try:
      # All that a Reverb writer writes has one shape.
      for size, alike in itertools.groupby(episodes, lambda e: len(e.data)):
        files = [np.frombuffer(e.data, np.uint8) for e in alike]
        self._connection.call(self._put, size, files)
        self._await_confirmation(size * len(files))
    except (RuntimeError, reverb.errors.ReverbError) as error:
      self._writer = None
      if isinstance(error, ReplayLostError):
        raise
      raise self._connection.lost(f'it refused an episode: {error}') from error
    # A server that was replaced meanwhile has confirmed it, too.
    self._connection.await_answer()

  def _put(self, size: int, files: Sequence[np.ndarray]) -> None:
    if self._writer is None or self._size != size:
      self._size = size
      self._writer = self._connection.client.trajectory_writer(
        num_keep_alive_refs=1, get_signature_timeout_ms=None
      )
    for data in files:
      self._writer.append([data])
      column = self._writer.history[0][-1:]
      self._writer.create_item(self._table, 1.0, [column])

  def _await_confirmation(self, size: int) -> None:
    deadline = time.monotonic() + SILENT_SECONDS + size / _BYTES_PER_SECOND
    while True:
      try:
        self._connection.call(self._writer.flush, 0, int(1e3 * _SLICE_SECONDS))
        return
      except reverb.errors.DeadlineExceededError:
        self._connection.tables()  # Raises when the server is lost.
        if time.monotonic() > deadline:
          raise self._connection.lost('it confirms no episode') from None


class EpisodeReader:
  """Takes whole episodes out of a table, first in, first out.

  ```python
  reader = EpisodeReader('localhost:8000', 'replay', incarnation)
  while not wait_for_stop(0):
    episodes = reader.read(max_episodes=64)  # Perhaps none.
  ```

  A table has one reader; two would share its items.
  """

  def __init__(
    self, address: str, table: str, incarnation: str, patience: float = 30.0
  ):
    """Makes a reader; the server may still be starting.

    Args:
      address: host:port of the server.
      table: `collected` or `replay`.
      incarnation: of the server.
      patience: seconds to wait for a server that was never reached.
    """
    self._connection = Connection(address, table, incarnation, patience)
    self._table = table
    # What the thread took: episodes, or the error that ended it.
    self._taken: queue.SimpleQueue[Any] = queue.SimpleQueue()
    self._owed = 0  # What the thread will yet put there.

  def read(self, max_episodes: int) -> list[Episode]:
    """The episodes of `read_packed`."""
    return [packed.episode for packed in self.read_packed(max_episodes)]

  def read_packed(self, max_episodes: int) -> list[Packed]:
    """The next episodes, with their files; none where there are none.

    Args:
      max_episodes: at most so many.

    Returns:
      What came in within a moment; the rest comes with the next call.

    Raises:
      ReplayLostError: the server is gone or was replaced.
    """
    tables = self._connection.tables()
    if tables is None:
      return []
    if not self._owed:
      # A sampler may never wait for items: a queue gives an item to a sampler
      # that was given up, too, and it is lost.
      self._take(min(tables[self._table].current_size, max_episodes))
    episodes: list[Packed] = []
    deadline = time.monotonic() + _SLICE_SECONDS
    while self._owed and len(episodes) < max_episodes:
      try:
        item = self._taken.get(timeout=max(0.0, deadline - time.monotonic()))
      except queue.Empty:
        break
      if isinstance(item, BaseException):
        self._owed = 0
        raise self._connection.lost(f'no episode from it: {item}') from item
      self._owed -= 1
      episodes.append(item)
    return episodes

  def _take(self, size: int) -> None:
    if not size:
      return
    self._owed = size
    # Reverb's sampler has no time limit, so it has a thread of its own, which
    # goes on while `read` returns.
    thread = threading.Thread(
      target=self._take_from, args=(self._connection.client, size), daemon=True
    )
    thread.start()

  def _take_from(self, client: Any, size: int) -> None:
    try:
      for sample in client.sample(self._table, size, emit_timesteps=False):
        self._taken.put(unpack(sample.data[0].tobytes(), self._table))
    except Exception as error:  # For whoever reads, whatever it is.
      self._taken.put(error)
