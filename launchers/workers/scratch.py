"""Episodes of a worker on their way to the run: durable until acknowledged."""

from collections.abc import Callable
import fcntl
import os
from pathlib import Path
import queue
import threading
from typing import Optional

from datasets.files import make_directory
from datasets.packed import Packed, pack
from datasets.store import EpisodeConflictError, EpisodeStore
from datasets.types import Episode, EpisodeId
from launchers.acting.outcomes import ActingStoppedError

Send = Callable[[bytes], str]
"""Brings an episode's file; returns why it is refused, or '' if it is safe."""


class ScratchInUseError(OSError):
  """Another worker has this directory."""


class Scratch:
  """Brings episodes one after the other, while the worker acts on.

  The loop that uses it:

      with Scratch(directory, core.deliver, print) as scratch:
        for episode in act(...):
          scratch.put(episode)
  """

  def __init__(self, directory: Path, send: Send, tell: Callable[[str], None]):
    """Takes what an earlier worker could not bring.

    Args:
      directory: of this worker alone.
      send: brings an episode; raises ActingStoppedError when it is to stop.
      tell: shows a line to a person.

    Raises:
      ScratchInUseError: another worker has it.
      OSError: it cannot be made.
    """
    self._lock = os.open(make_directory(directory), os.O_RDONLY)
    try:
      fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      os.close(self._lock)
      raise ScratchInUseError(
        f'{directory} is in use by another worker: name another --scratch.'
      ) from error
    self._store = EpisodeStore(directory)
    self._send = send
    self._tell = tell
    self._queue: queue.SimpleQueue[Optional[EpisodeId]] = queue.SimpleQueue()
    self._failure: Optional[BaseException] = None
    self._is_full = False
    self._thread = threading.Thread(target=self._bring_all, daemon=True)

  def __enter__(self) -> 'Scratch':
    for path, reason in self._store.quarantine():
      self._tell(f'Set aside {path}: {reason}')
    # Before anything is put: that would be brought twice.
    for left in self._store.identities():
      self._queue.put(left)
    self._thread.start()
    return self

  def __exit__(self, *_: object) -> None:
    """Ends when all is brought, or the worker is to stop."""
    self._queue.put(None)
    self._thread.join()
    os.close(self._lock)

  def put(self, episode: Episode) -> None:
    """Keeps an episode; when this returns, it is not lost with the process.

    Raises:
      Exception: what ended the thread that brings them.
    """
    if self._failure is not None:
      raise self._failure
    packed = pack(episode)
    try:
      self._store.commit_all([packed])
    except EpisodeConflictError as error:
      # What is left of an earlier run of this name is in nobody's way.
      self._tell(f'{error} It is brought without being kept.')
      self._bring(packed)
    except OSError as error:
      if not self._is_full:
        self._tell(
          f'{error} Until then episodes are brought without being kept.'
        )
      self._is_full = True
      self._bring(packed)
    else:
      self._is_full = False
      self._queue.put(episode.identity)

  def _bring_all(self) -> None:
    try:
      while (next_one := self._queue.get()) is not None:
        self._bring(self._store.read_packed(next_one))
    except ActingStoppedError:
      return  # What is left is brought by the next worker here.
    except BaseException as error:
      self._failure = error

  def _bring(self, packed: Packed) -> None:
    identity = packed.episode.identity
    refused = self._send(packed.data)
    if refused:
      self._tell(f'The run refused {identity}: {refused}')
    self._store.discard(identity)
