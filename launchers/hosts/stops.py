"""What a command makes of the signals that ask it to stop."""

from collections.abc import Iterator
import contextlib
import math
import signal
import sys
import threading
import time
import types
from typing import Any, Optional

from launchers.hosts.early import STOPS


class Interrupted(KeyboardInterrupt):
  """A signal asked to stop; raised wherever the process was.

  Attributes:
    signal: which one.
  """

  def __init__(self, number: int):
    super().__init__()
    self.signal = signal.Signals(number)


_AGAIN = 0.25  # Seconds until what was swallowed is raised again.
_IMPORT = 8.0  # Seconds that an import has to end.


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
  """Raises `Interrupted` in the body when a signal asks to stop.

  It is raised again if somebody swallows it: a package whose import tries
  another one, a callback of C (as MuJoCo's) that has nobody to pass it on to.
  An import may end first, within reason: the C code of some (as TensorFlow's)
  prints what is raised in it, with its traceback.
  """
  asked: list[int] = []
  patience = math.inf  # Until then, of the monotonic clock.

  def interrupt(number: int, frame: Optional[types.FrameType]) -> None:
    nonlocal patience
    if number != signal.SIGALRM:
      asked.append(number)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    patience = min(patience, time.monotonic() + _IMPORT)
    if _is_importing(frame) and time.monotonic() < patience:
      return
    # What tidies up on its way out is left in peace.
    if number != signal.SIGALRM or not _is_handled(sys.exc_info()[1]):
      raise Interrupted(asked[-1])

  def unraisable(error: Any) -> None:
    if not isinstance(error.exc_value, Interrupted):
      hook(error)

  stops = _stops()
  numbers = [*stops, signal.SIGALRM] if stops else []
  previous = {number: signal.getsignal(number) for number in numbers}
  hook = sys.unraisablehook
  for number in numbers:
    signal.signal(number, interrupt)
  sys.unraisablehook = unraisable
  try:
    yield
  except Exception as error:
    if not asked:
      raise
    # As a C extension has it that was being imported: "initialization failed".
    raise Interrupted(asked[-1]) from error
  finally:
    if stops:
      signal.setitimer(signal.ITIMER_REAL, 0)
    sys.unraisablehook = hook
    for number, handler in previous.items():
      signal.signal(number, handler)


def _is_importing(frame: Optional[types.FrameType]) -> bool:
  while frame is not None and 'importlib._boot' not in frame.f_code.co_filename:
    frame = frame.f_back
  return frame is not None


def _is_handled(error: Optional[BaseException]) -> bool:
  """Whether an interruption is on its way out, or led to what is."""
  while error is not None and not isinstance(error, Interrupted):
    error = error.__context__
  return error is not None


def _stops() -> list[signal.Signals]:
  """The signals that are to stop this process; none where nobody hears them."""
  if threading.current_thread() is not threading.main_thread():
    return []
  ignored = signal.SIG_IGN  # As nohup has it.
  return [n for n in STOPS if signal.getsignal(n) != ignored]


class StoppedError(Exception):
  """A signal asked to stop, and everything is saved.

  Attributes:
    signal: which one.
  """

  def __init__(self, number: signal.Signals):
    super().__init__(f'Stopped by {number.name}.')
    self.signal = number


class StopRequest:
  """Turns SIGINT, SIGTERM and SIGHUP into a flag, while it is entered.

  Launchpad installs handlers of its own when it launches; `listen` again
  afterwards takes the signals back.
  """

  def __init__(self) -> None:
    self.signal: Optional[signal.Signals] = None
    self._previous: dict[signal.Signals, Any] = {}

  def __enter__(self) -> 'StopRequest':
    for number in _stops():
      self._previous[number] = signal.getsignal(number)
    self.listen()
    return self

  def listen(self) -> None:
    """Takes the signals."""
    for number in self._previous:
      signal.signal(number, self._note)

  def __exit__(self, *_: object) -> None:
    for number, handler in self._previous.items():
      signal.signal(number, handler)

  def check(self) -> None:
    """Raises `StoppedError` if a signal came."""
    if self.signal is not None:
      raise StoppedError(self.signal)

  def _note(self, number: int, _: object) -> None:
    self.signal = signal.Signals(number)
