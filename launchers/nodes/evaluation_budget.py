"""How much of the learner's time evaluations may take."""

from collections.abc import Callable, Hashable
import os
import time

SHARE = 0.08
"""Of all cores. The learner, which computes on all of them, loses a fifth more
than what is taken, since its threads wait for each other: at most a tenth."""
CREDIT = 20.0
"""Core-seconds that may be taken at once: runs of minutes lose none."""


class Budget:
  """Grants evaluations, of which each has a price that the last one told.

  The budget grows with time, up to CREDIT, and shrinks by what is granted.
  """

  def __init__(
    self,
    credit: float = CREDIT,
    cores: int = os.cpu_count() or 1,
    clock: Callable[[], float] = time.monotonic,
  ):
    """Begins with all of the credit.

    Args:
      credit: core-seconds, the most that is saved up.
      cores: of this host.
      clock: seconds.
    """
    self._most = self._balance = credit
    self._rate = SHARE * cores
    self._clock, self._last = clock, clock()
    self._price = 0.0
    self._granted: dict[Hashable, float] = {}

  def grant(self, key: Hashable) -> bool:
    """Whether one more may be done; it is paid for in advance."""
    now = self._clock()
    earned = self._rate * (now - self._last)
    self._balance, self._last = min(self._most, self._balance + earned), now
    if self._balance < min(self._price, self._most):
      return False
    self._balance -= self._price
    self._granted[key] = self._price
    return True

  def spend(self, key: Hashable, core_seconds: float) -> None:
    """Told what one took; of one that was never granted, nothing is taken."""
    if key in self._granted:
      self._balance += self._granted.pop(key) - core_seconds
      self._price = core_seconds
