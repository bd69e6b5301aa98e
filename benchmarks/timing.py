"""Rates of anything that runs so many steps, in any environment."""

from collections.abc import Callable
import time
from typing import Any

WINDOWS = 5  # Rates that one run of a side gives.


def rates(run: Callable[[int], Any], steps: int) -> list[float]:
  """Steps a second, once for each window.

  Args:
    run: does so many steps, and has done them when it returns.
    steps: from one look at the clock to the next.
  """
  run(steps)  # Traces the graph, fills the caches.
  found = []
  for _ in range(WINDOWS):
    started = time.perf_counter()
    run(steps)
    found.append(steps / (time.perf_counter() - started))
  return found
