"""Who acts which episodes now.

Any worker may act any episode, since what it comes to depends on its identity
alone. A lease keeps two from acting the same; that of a worker which is not
heard of in time ends, and another one gets its episodes. So an episode may be
acted twice, which the ledger does not mind.
"""

import collections
from collections.abc import Callable
import heapq
import math
import time
from typing import Optional

from launchers.hosts.process import WaitForStop

SECONDS = 60.0
"""After which a worker that is not heard of has lost its leases."""

RENEWAL = SECONDS / 12
"""Seconds between two signs of life of a worker that acts."""

OWN_EVALUATOR = 'evaluator'
"""The program's own, which it looks after: it needs no lease."""

Place = tuple[int, int]
"""A cycle, and the number of an episode in it."""


class Leases:
  """Of one run; forgotten with the process, for all who ask are then new."""

  def __init__(self, clock: Callable[[], float] = time.monotonic):
    """Nothing is leased at first.

    Args:
      clock: seconds, for tests.
    """
    self._clock = clock
    self._deadlines: dict[str, float] = {}
    self._askers: set[str] = set()  # Those who act; others may live, too.
    self._holders: dict[Place, str] = {}
    self._safe: set[Place] = set()
    # Of each cycle the first episode that was never given out, and those that
    # came back: nobody looks through all of a cycle to find a free one.
    self._next: dict[int, int] = collections.defaultdict(int)
    self._returned: dict[int, list[int]] = collections.defaultdict(list)
    self.lost = 0
    """Workers that were not heard of any more."""

  @property
  def workers(self) -> list[str]:
    """Those that live."""
    return list(self._deadlines)

  def renew(self, worker: str) -> None:
    """Notes that the worker lives, and who does not."""
    self._deadlines[worker] = self._clock() + SECONDS
    self._expire()

  def grant(
    self,
    worker: str,
    cycle: int,
    quota: int,
    is_missing: Callable[[int], bool],
    most: int,
  ) -> list[int]:
    """Leases episodes to a worker, which lives since it asks.

    Args:
      worker: its name, unlike all others'.
      cycle: that is collected.
      quota: episodes that it takes, numbered from 0.
      is_missing: whether one of them has not come yet.
      most: how many the worker can act side by side.

    Returns:
      Its share of those that nobody holds. Those that were never given out are
      shared among all who act, so that none is left with nothing.
    """
    self.renew(worker)
    self._askers.add(worker)
    returned = self._returned[cycle]
    left = quota - self._next[cycle] + len(returned)
    share = min(most, math.ceil(left / len(self._askers)))
    granted: list[int] = []
    while len(granted) < share:
      if returned:
        episode = heapq.heappop(returned)
      elif self._next[cycle] < quota:
        episode = self._next[cycle]
        self._next[cycle] += 1
      else:
        break
      place = cycle, episode
      if is_missing(episode) and place not in self._holders:
        granted.append(episode)
        self._holders[place] = worker
    return granted

  def keep(self, place: Place) -> None:
    """Notes that an episode is durable: it waits for advice, and for nobody."""
    # Also one that nobody holds, as when a run goes on.
    self._safe.add(place)
    self._holders.setdefault(place, '')

  def end(self, place: Place) -> Optional[str]:
    """Notes that an episode has come or was refused; who held it."""
    self._safe.discard(place)
    return self._give_back(place)

  def leave(self, worker: str) -> None:
    """Notes that a worker has gone; others get what it held."""
    self._deadlines.pop(worker, None)
    self._askers.discard(worker)
    held = [p for p, w in self._holders.items() if w == worker]
    for place in held:
      if place not in self._safe:
        self._give_back(place)

  def _give_back(self, place: Place) -> Optional[str]:
    holder = self._holders.pop(place, None)
    if holder is not None:  # It was given out, and is missing again perhaps.
      heapq.heappush(self._returned[place[0]], place[1])
    return holder or None

  def _expire(self) -> None:
    now = self._clock()
    for worker in [w for w, d in self._deadlines.items() if d < now]:
      self.leave(worker)
      self.lost += 1


class Life:
  """Asked amid episodes whether to stop, it shows that these go on."""

  def __init__(
    self,
    worker: str,
    renew: Callable[[str], None],
    wait_for_stop: WaitForStop,
  ):
    """Was heard of just now.

    Args:
      worker: its name.
      renew: tells the run that it lives.
      wait_for_stop: waits that many seconds; whether the program stops.
    """
    self._worker = worker
    self._renew = renew
    self._wait_for_stop = wait_for_stop
    self._renewed = time.monotonic()

  def __call__(self) -> bool:
    """Whether the program stops."""
    now = time.monotonic()
    if now - self._renewed > RENEWAL:
      self._renew(self._worker)
      self._renewed = now
    return self._wait_for_stop(0)
