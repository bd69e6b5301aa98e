"""How services are waited for, wherever in a teacher they are asked.

with asking(is_stopping=stop.is_set):
  teacher = make(task)  # May connect to services, at any depth.
"""

from collections.abc import Callable, Iterable, Iterator
import contextlib
import contextvars
from typing import Any, NamedTuple, Optional

Report = Callable[[Optional[str]], None]
"""Told what is wrong with a service, at each try; None: it is well again."""


class Asking(NamedTuple):
  """What a connection does that is told nothing else.

  Attributes:
    patience: seconds for which nobody may answer; None: any time.
    on_trouble: told what fails; None: it is logged.
    is_stopping: whether nobody is waited for any more.
    reached: where it adds the services, as host:port, that it connects to.
  """

  patience: Optional[float] = None
  on_trouble: Optional[Report] = None
  is_stopping: Callable[[], bool] = lambda: False
  reached: Optional[set[str]] = None

  def note(self, addresses: Iterable[str]) -> None:
    """Adds to what is reached, if anyone wants to know."""
    if self.reached is not None:
      self.reached.update(addresses)


_NOTHING_SAID = Asking()
_ASKING = contextvars.ContextVar('asking', default=_NOTHING_SAID)


def current() -> Asking:
  """What was said last."""
  return _ASKING.get()


@contextlib.contextmanager
def asking(
  patience: Optional[float] = None,
  on_trouble: Optional[Report] = None,
  is_stopping: Optional[Callable[[], bool]] = None,
) -> Iterator[set[str]]:
  """Says it to whatever connects in this thread; see `Asking`.

  Yields:
    The services that are reached meanwhile.
  """
  said = {
    'patience': patience,
    'on_trouble': on_trouble,
    'is_stopping': is_stopping,
  }
  changes: dict[str, Any] = {k: v for k, v in said.items() if v is not None}
  outer, reached = current(), set[str]()
  token = _ASKING.set(outer._replace(**changes, reached=reached))
  try:
    yield reached
  finally:
    _ASKING.reset(token)
    outer.note(reached)
