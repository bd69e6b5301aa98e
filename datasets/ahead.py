"""Work done ahead of whoever takes its results, in order."""

import collections
from collections.abc import Callable, Generator, Iterable
from concurrent import futures
from typing import TypeVar

ItemT = TypeVar('ItemT')
ResultT = TypeVar('ResultT')

_THREADS = 2


def in_order(
  work: Callable[[ItemT], ResultT], items: Iterable[ItemT], ahead: int = 4
) -> Generator[ResultT, None, None]:
  """What some work makes of each item, in their order; `map` with threads.

  Args:
    work: is called in threads, of which two work at once.
    items: taken as they are needed.
    ahead: the most results that wait.

  Yields:
    The results; an error of the work is raised where its result would stand.
  """
  waiting: collections.deque[futures.Future[ResultT]] = collections.deque()
  with futures.ThreadPoolExecutor(_THREADS) as pool:
    try:
      for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
          yield waiting.popleft().result()
      while waiting:
        yield waiting.popleft().result()
    finally:  # Nobody asks for the rest, if there was an error.
      for future in waiting:
        future.cancel()
