"""Who acts which episodes now.

Any worker may act any episode, since what it comes to depends on its identity
alone. A lease keeps two from acting the same; that of a worker which is not
heard of in time ends, and another one gets its episodes. So an episode may be
acted twice, which the ledger does not mind.
"""

from collections.abc import Callable, Iterable
import math
import time
from typing import Optional

from datasets.types import EpisodeId

SECONDS = 60.0
"""After which a worker that is not heard of has lost its leases."""

RENEWAL = SECONDS / 12
"""Seconds between two signs of life of a worker that acts."""


class Leases:
  """Of one run; forgotten with the process, for all who ask are then new."""

  def __init__(self, clock: Callable[[], float] = time.monotonic):
    """Nothing is leased at first.

    Args:
      clock: seconds, for tests.
    """
    self._clock = clock
    self._deadlines: dict[str, float] = {}
    self._holders: dict[EpisodeId, str] = {}
    self._safe: set[EpisodeId] = set()
    self.lost = 0
    """Workers that were not heard of any more."""

  @property
  def workers(self) -> list[str]:
    """Those that live."""
    return list(self._deadlines)

  def renew(self, worker: str) -> None:
    """Notes that the worker lives."""
    self._deadlines[worker] = self._clock() + SECONDS

  def grant(
    self, worker: str, wanted: Iterable[EpisodeId], most: int
  ) -> list[EpisodeId]:
    """Leases episodes to a worker, which lives since it asks.

    Args:
      worker: its name, unlike all others'.
      wanted: the episodes that are missing.
      most: how many it can act side by side.

    Returns:
      Its fair share of those that nobody holds, in that order.
    """
    self.renew(worker)
    self._expire()
    taken = self._holders.keys() | self._safe
    free = [identity for identity in wanted if identity not in taken]
    share = min(most, math.ceil(len(free) / len(self._deadlines)))
    self._holders.update((identity, worker) for identity in free[:share])
    return free[:share]

  def keep(self, identity: EpisodeId) -> None:
    """Notes that an episode is durable: it waits for advice, and for nobody."""
    self._safe.add(identity)

  def end(self, identity: EpisodeId) -> Optional[str]:
    """Notes that an episode has come or was refused; who held it."""
    self._safe.discard(identity)
    return self._holders.pop(identity, None)

  def leave(self, worker: str) -> None:
    """Notes that a worker has gone; others get what it held."""
    self._deadlines.pop(worker, None)
    self._holders = {
      identity: holder
      for identity, holder in self._holders.items()
      if holder != worker or identity in self._safe
    }

  def _expire(self) -> None:
    now = self._clock()
    for worker in [w for w, d in self._deadlines.items() if d < now]:
      self.leave(worker)
      self.lost += 1
