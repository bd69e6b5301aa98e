"""Several services of one teacher: who is asked next, and for how long."""

from collections.abc import Callable, Sequence
import itertools
import random
import threading
import time
from typing import Optional, TypeVar

from teachers.endpoint import POLL, AbsentError, Endpoint
from teachers.errors import (
  AdviceRefusedError,
  TeacherFailedError,
  TeacherStoppedError,
  TeacherUnavailableError,
)

ATTEMPTS = 3
"""At an answer that is refused, each at another service where there are."""
_PAUSE_FIRST, _PAUSE_MOST = 0.1, 5.0
_PROBE = 1.0  # Seconds, while another service answers.

Report = Callable[[Optional[str]], None]
Result = TypeVar('Result')


class Services:
  """Who is asked next, how often, and how long is waited."""

  def __init__(
    self,
    endpoints: Sequence[Endpoint],
    patience: Optional[float],
    on_trouble: Report,
    is_stopping: Callable[[], bool],
  ):
    self.endpoints = endpoints
    self._patience = patience
    self._on_trouble = on_trouble
    self._is_stopping = is_stopping
    self._turns = itertools.count()
    self._lock = threading.Lock()
    self._told = False

  def run(self, job: Callable[[Endpoint], Result]) -> Result:
    """Does a job at one service, at the next when that one fails."""
    result = self._run(job)
    self._tell(None)  # Only advice that was taken ends the trouble.
    return result

  def _run(self, job: Callable[[Endpoint], Result]) -> Result:
    began = time.monotonic()
    pause, refused = _PAUSE_FIRST, 0
    while True:
      failures: list[str] = []
      answered = False
      for endpoint in self._order():
        try:
          return job(endpoint)
        except AbsentError as error:
          failures.append(str(error))
        except (AdviceRefusedError, TeacherFailedError) as error:
          answered, refused = True, refused + 1
          passing = getattr(error, 'passing', True)
          if refused == ATTEMPTS or not passing:
            raise
          failures.append(str(error))
      what, absent = '; '.join(failures), time.monotonic() - began
      if not answered:
        self._check_patience(what, absent)
      self._wait(what, absent, pause)
      pause = min(2 * pause, _PAUSE_MOST)

  def probe_deadline(self, endpoint: Endpoint, deadline: float) -> float:
    """Seconds for a first question: few, when another service could answer."""
    others = (e for e in self.endpoints if e is not endpoint)
    if any(not e.is_resting() for e in others):
      return min(deadline, _PROBE)
    return deadline

  def close(self) -> None:
    """Breaks off what is under way."""
    for endpoint in self.endpoints:
      endpoint.close()

  def _order(self) -> list[Endpoint]:
    """All of them in turn, those that did not answer lately last."""
    first = next(self._turns) % len(self.endpoints)
    turn = [*self.endpoints[first:], *self.endpoints[:first]]
    return sorted(turn, key=Endpoint.is_resting)

  def _check_patience(self, what: str, absent: float) -> None:
    if self._patience is not None and absent >= self._patience:
      raise TeacherUnavailableError(
        f'No advice for {absent:.1f} s, longer than the patience of '
        f'{self._patience:g} s: {what}'
      )

  def _wait(self, what: str, absent: float, pause: float) -> None:
    # Jitter: many clients must not come back all at once.
    pause *= random.uniform(0.5, 1.0)
    self._tell(
      f'No advice for {absent:.1f} s, next try in {pause:.1f} s: {what}'
    )
    until = time.monotonic() + pause
    while (left := until - time.monotonic()) > 0:
      if self._is_stopping():
        raise TeacherStoppedError(f'Stopped while waiting for advice: {what}')
      time.sleep(min(left, POLL))

  def _tell(self, message: Optional[str]) -> None:
    """Reports trouble, and its end once."""
    with self._lock:
      if message is None and not self._told:
        return
      self._told = message is not None
    self._on_trouble(message)
