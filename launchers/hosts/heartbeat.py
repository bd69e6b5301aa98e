"""How a node shows that it lives, and how its supervisor sees that it hangs.

A node that is stopped, deadlocked or stuck in a call still has a process. So
each counts how often it has come round its loop, in a few bytes of memory that
a file shares: no call to the kernel, and nothing to answer. One that does not
come round, does not compute and does not wait for a teacher, hangs.
"""

from collections.abc import Callable, Iterator, Mapping
import contextlib
import mmap
import os
from pathlib import Path
import struct
import threading
import time
from typing import NamedTuple, Optional

import psutil

from launchers.hosts.process import WaitForStop

SILENCE = 'UNDERSTUDY_SILENCE'
"""Environment variable: seconds of silence after which a node is named; after
twice as many it is taken for hung."""
_SILENCE, _LEAST = 30.0, 2.0

STARTING = 4.0
"""Times as long where a node has not come round once: disks are slow."""
COMPUTING = 20.0
"""Times as long where it computes: TensorFlow traces graphs for a minute on a
machine that is overloaded, and one update of a large network takes long."""

_BUSY = 0.02  # Of a core: who polls uses less, who computes uses more.
_LOOKS = 6.0  # In the time of silence; the CPU's clock is coarse.
_FORM = struct.Struct('=QQ')  # Rounds; how many wait for a teacher.


class Heart:
  """A node's own side: its `wait_for_stop`, which beats when it is called."""

  def __init__(self, path: Path, wait_for_stop: WaitForStop):
    """Begins to beat.

    Args:
      path: where the supervisor looks; see `heart_path`.
      wait_for_stop: what the node waits by.
    """
    self._wait_for_stop = wait_for_stop
    self._lock = threading.Lock()
    self._rounds = self._waiting = 0
    with path.open('wb+') as file:
      file.write(_FORM.pack(0, 0))
      file.flush()
      self._memory = mmap.mmap(file.fileno(), _FORM.size)

  def __call__(self, seconds: float) -> bool:
    """See `WaitForStop`."""
    # Whoever comes round waits for nobody, whatever its other threads do.
    self._rounds += 1
    _FORM.pack_into(self._memory, 0, self._rounds, 0)
    return self._wait_for_stop(seconds)

  @contextlib.contextmanager
  def waiting(self) -> Iterator[None]:
    """While a thread waits for what may take any time, such as a teacher."""
    self._note(1)
    try:
      yield
    finally:
      self._note(-1)

  def _note(self, change: int) -> None:
    with self._lock:
      self._rounds += 1
      self._waiting += change
      _FORM.pack_into(self._memory, 0, self._rounds, self._waiting)


def heart_path(directory: Path, node: str) -> Path:
  """Where the heart of a node beats, for instance of 'actor/0'.

  Launchpad numbers the nodes of a group, also where there is one alone.
  """
  group, _, number = node.partition('/')
  return directory / f'{group}-{number or 0}'


def bound() -> float:
  """Seconds of silence after which a node is named.

  Raises:
    ValueError: the environment variable holds something else.
  """
  text = os.environ.get(SILENCE) or str(_SILENCE)
  try:
    seconds = float(text)
  except ValueError:
    seconds = 0.0
  if not _LEAST <= seconds < float('inf'):
    raise ValueError(
      f'{SILENCE} is {text!r}; give a number of seconds, at least {_LEAST:g}.'
    )
  return seconds


class Silence(NamedTuple):
  """A node that has said nothing for too long.

  Attributes:
    node: its name.
    seconds: for which it has neither come round nor done anything.
    is_hung: whether it is to be given up.
  """

  node: str
  seconds: float
  is_hung: bool


class Vitals(NamedTuple):
  """A process, from outside.

  Attributes:
    cpu_seconds: that all its threads have used.
    status: one of psutil's.
  """

  cpu_seconds: float
  status: str


def vitals(pid: int) -> Optional[Vitals]:
  """Of a process; None where it has ended."""
  try:
    process = psutil.Process(pid)
    with process.oneshot():
      times = process.cpu_times()
      return Vitals(times.user + times.system, process.status())
  except psutil.NoSuchProcess:
    return None


class Pulses:
  """A supervisor's side: looks at all hearts, now and then."""

  def __init__(
    self,
    directory: Path,
    pids: Mapping[str, int],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    vitals_of: Callable[[int], Optional[Vitals]] = vitals,
  ):
    """Begins to watch.

    Args:
      directory: where the hearts beat.
      pids: of each node's process, by its name.
      seconds: of silence after which a node is named.
      clock: in seconds.
      vitals_of: looks at a process.
    """
    self._directory = directory
    self._pids = pids
    self._seconds = seconds
    self._clock = clock
    self._vitals_of = vitals_of
    self._pulses = {node: _Pulse() for node in pids}
    self._looked = clock()

  def look(self) -> list[Silence]:
    """The nodes that have been silent for too long, the longest first."""
    now, period = self._clock(), self._seconds / _LOOKS
    if now - self._looked >= period:
      # A supervisor that was stopped itself, by Ctrl-Z, has seen nothing.
      gap, self._looked = min(now - self._looked, 2 * period), now
      for node, pid in self._pids.items():
        present = self._vitals_of(pid)
        if present is not None:  # Else it has ended, which others notice.
          self._pulses[node].note(self._record(node), present, gap)
    found = [
      Silence(node, pulse.idle or pulse.silent, pulse.is_hung(self._seconds))
      for node, pulse in self._pulses.items()
      if pulse.is_silent(self._seconds)
    ]
    return sorted(found, key=lambda silence: -silence.seconds)

  def quiet_for(self, node: str) -> float:
    """Seconds for which a node has neither come round nor done anything."""
    return self._pulses[node].idle

  def _record(self, node: str) -> bytes:
    path = heart_path(self._directory, node)
    return path.read_bytes() if path.exists() else b''


class _Pulse:
  """What is known of one node.

  Attributes:
    idle: seconds for which it has neither come round nor computed.
    silent: seconds for which it has not come round.
  """

  def __init__(self) -> None:
    self.idle = self.silent = 0.0
    self._record = b''
    self._cpu_seconds = 0.0
    self._is_stopped = False

  def note(self, record: bytes, now: Vitals, gap: float) -> None:
    """Notes what is seen, `gap` seconds after the last look."""
    used = now.cpu_seconds - self._cpu_seconds
    is_new = record != self._record
    self._record, self._cpu_seconds = record, now.cpu_seconds
    self._is_stopped = now.status == psutil.STATUS_STOPPED
    is_waiting = len(record) == _FORM.size and _FORM.unpack(record)[1] > 0
    # A debugger that stops it is somebody's own.
    is_waiting |= now.status == psutil.STATUS_TRACING_STOP
    if is_new or (is_waiting and not self._is_stopped):
      self.idle = self.silent = 0.0
      return
    self.silent += gap
    self.idle = 0.0 if used > _BUSY * gap else self.idle + gap

  def is_silent(self, bound: float) -> bool:
    """Whether it has been silent for `bound` seconds, or as long as it may."""
    patience = 1.0 if self._has_begun or self._is_stopped else STARTING
    return self.idle >= patience * bound or self.silent >= COMPUTING * bound

  def is_hung(self, bound: float) -> bool:
    """Whether it has been silent for twice as long."""
    return self.is_silent(2 * bound)

  @property
  def _has_begun(self) -> bool:
    """Whether it has come round once."""
    return len(self._record) == _FORM.size and _FORM.unpack(self._record)[0] > 0
