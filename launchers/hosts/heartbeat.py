"""How a node shows that it lives, and how its supervisor sees that it hangs.

A node that is stopped, deadlocked or stuck in a call still has a process. So
each writes down when it last came round its loop, in a few bytes of memory
that a file shares: no call to the kernel, and nothing to answer.
"""

from collections.abc import Callable, Iterator
import contextlib
import mmap
from pathlib import Path
import struct
import time
from typing import NamedTuple, Optional

from launchers.hosts.process import WaitForStop

_FORM = struct.Struct('=ddd')  # Last beat, usual step, whether it waits.
_SUFFIX = '.beat'

FIRST, LAST = 30.0, 90.0
"""Seconds of silence after which a node is named, and after which it is taken
for hung; or so many times its usual step, if that is more:"""
FIRST_STEPS, LAST_STEPS = 10.0, 30.0
STARTING = 4.0
"""Times as long where it has not come round once: imports are slow."""


class Silence(NamedTuple):
  """A node that has said nothing for too long.

  Attributes:
    node: its name.
    seconds: since it last came round.
    is_hung: whether it is to be given up.
  """

  node: str
  seconds: float
  is_hung: bool

  def __str__(self) -> str:
    return f'Node {self.node} has said nothing for {self.seconds:.0f} s.'


class Heart:
  """A node's own side."""

  def __init__(self, directory: Path, node: str):
    """Begins to beat.

    Args:
      directory: where the supervisor looks.
      node: its name, for instance 'actor/0'.
    """
    path = directory / (node.replace('/', '-') + _SUFFIX)
    with path.open('wb+') as file:
      file.write(_FORM.pack(time.monotonic(), 0.0, 0.0))
      file.flush()
      self._memory = mmap.mmap(file.fileno(), _FORM.size)

  def beat(self) -> None:
    """Says that it came round its loop."""
    now = time.monotonic()
    last, usual, _ = _FORM.unpack_from(self._memory)
    # It forgets slowly, and learns of a longer step at once.
    usual = max(now - last, 0.9 * usual)
    _FORM.pack_into(self._memory, 0, now, usual, 0.0)

  @contextlib.contextmanager
  def waiting(self) -> Iterator[None]:
    """While it waits for what may take any time, such as a teacher."""
    self._set_waiting(1.0)
    try:
      yield
    finally:
      self._set_waiting(0.0)

  def _set_waiting(self, flag: float) -> None:
    _, usual, _ = _FORM.unpack_from(self._memory)
    _FORM.pack_into(self._memory, 0, time.monotonic(), usual, flag)

  def around(self, wait_for_stop: WaitForStop) -> WaitForStop:
    """The same function, which beats whenever it is called."""

    def wait(seconds: float) -> bool:
      self.beat()
      return wait_for_stop(seconds)

    return wait


def silent(
  directory: Path,
  node: str,
  now: Callable[[], float] = time.monotonic,
) -> Optional[Silence]:
  """Whether a node has been silent for too long; None where it has not.

  Args:
    directory: where its heart beats.
    node: its name.
    now: the clock.
  """
  path = directory / (node.replace('/', '-') + _SUFFIX)
  try:
    last, usual, is_waiting = _FORM.unpack(path.read_bytes())
  except (FileNotFoundError, struct.error):
    return None  # Its process has not begun yet; whether it lives is known.
  seconds = now() - last
  factor = 1.0 if usual else STARTING
  first = factor * max(FIRST, FIRST_STEPS * usual)
  last_bound = factor * max(LAST, LAST_STEPS * usual)
  if is_waiting or seconds < first:
    return None
  return Silence(node, seconds, seconds >= last_bound)
