"""Environments that are not ours, acted in a process of their own.

One that leaks memory, or ends its process, takes nobody with it: the process is
replaced, and what it did is known by name.
"""

from collections.abc import Sequence
from multiprocessing import connection
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any, NamedTuple, Optional
import weakref

import numpy as np

from datasets.tasks import Task
from datasets.types import EnvironmentSpec
from launchers.acting.outcomes import ActingStoppedError, IsStopping
from launchers.environments.base import Description
from launchers.hosts import heartbeat

_EPISODES = 128  # That a process acts before another takes its place.
_POLL = 0.1  # Seconds between two looks at whether to stop.
_GRACE = 2.0  # Seconds in which the environments may close.
_PATIENCE = 10.0  # Times the silence of a node: a model takes time to compile.


class EnvironmentCrashedError(RuntimeError):
  """The process of an environment has ended, or hangs; says which."""


class Host:
  """The process in which the environments of one task are.

  It starts when something is first asked of it, and ends with this object, or
  with the process that holds it, however that ends.
  """

  def __init__(self, task: str, action_bound: Optional[float]):
    self._order = task, action_bound
    self._process: Optional[subprocess.Popen[bytes]] = None
    self._connection: Any = None
    self._finalizer: Any = lambda: None
    self._episodes = 0
    self._description: Optional[Description] = None

  @property
  def description(self) -> Description:
    """Of the task.

    Raises:
      ValueError: it is no environment that can be learned.
      EnvironmentCrashedError: the process ended when it was made.
    """
    if self._description is None:
      self.ask('describe')
    assert self._description is not None
    return self._description

  def begin(self, lanes: int, is_stopping: IsStopping = lambda: False) -> None:
    """Makes ready for so many episodes side by side.

    Raises:
      ActingStoppedError, EnvironmentCrashedError: see `ask`.
    """
    if self._episodes >= _EPISODES:
      self.recycle()
    self.ask('begin', lanes, is_stopping=is_stopping)
    self._episodes += lanes

  def ask(
    self,
    function: str,
    *arguments: Any,
    is_stopping: IsStopping = lambda: False,
  ) -> Any:
    """Has the process call one of `worker.Server`'s methods.

    Raises:
      ActingStoppedError: the answer was no longer waited for.
      EnvironmentCrashedError: the process has ended, or gave no answer for
        ten times as long as a node may be silent, and was ended.
    """
    if self._process is None:
      self._start(is_stopping)
    patience = _PATIENCE * heartbeat.bound()
    try:
      self._connection.send((function, arguments))
      asked = time.monotonic()
      while not self._connection.poll(_POLL):
        if time.monotonic() - asked > patience:
          self.recycle()
          raise EnvironmentCrashedError(
            f"The environment's {function} took more than {patience:g} s and "
            f'was ended; where that is usual, set {heartbeat.SILENCE} to more '
            f'than {heartbeat.bound():g}.'
          )
        if is_stopping():
          self.recycle()  # For its answer would come amid another question.
          raise ActingStoppedError
      return self._connection.recv()
    except (EOFError, ConnectionError) as error:
      raise EnvironmentCrashedError(self._how_it_ended()) from error

  def recycle(self) -> None:
    """Ends the process; the next question starts another."""
    self._finalizer()
    self._process = None

  def _start(self, is_stopping: IsStopping) -> None:
    ours, theirs = socket.socketpair()
    # What this process can import, that one must, too.
    paths = [os.path.abspath(path) for path in sys.path]
    with theirs:
      self._process = subprocess.Popen(
        [sys.executable, '-m', 'launchers.acting.worker', str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=2,  # Its output must not end up among a command's results.
        env={
          **os.environ,
          'PYTHONPATH': os.pathsep.join(paths),
          'UNDERSTUDY_LAUNCHER': str(os.getpid()),
        },
      )
    self._connection = connection.Connection(ours.detach())
    self._finalizer = weakref.finalize(
      self, _end, self._process, self._connection
    )
    self._episodes = 0
    answer = self.ask('make', *self._order, is_stopping=is_stopping)
    if isinstance(answer, str):
      self.recycle()
      raise ValueError(answer)
    self._description = answer

  def _how_it_ended(self) -> str:
    assert self._process is not None
    code = self._process.wait()
    self.recycle()
    how = f'ended with exit code {code}'
    if code < 0:
      how = f'was killed by {signal.Signals(-code).name}'
    return f"The environment's process {how}; its output is above."


def _end(process: subprocess.Popen[bytes], pipe: Any) -> None:
  pipe.close()
  try:
    process.wait(_GRACE)
  except subprocess.TimeoutExpired:
    process.kill()
    process.wait()


class HostedEnvironment(NamedTuple):
  """One of the environments in a host's process; `HostedLanes` step them."""

  host: Host

  @property
  def task(self) -> Task:
    """See `Environment`."""
    return self.host.description.task

  @property
  def spec(self) -> EnvironmentSpec:
    """See `Environment`."""
    return self.task.spec


class HostedLanes:
  """Lanes of a host; one question a step, for all of them. See `Lanes`."""

  def __init__(
    self, places: Sequence[HostedEnvironment], is_stopping: IsStopping
  ):
    """Makes the environments.

    Args:
      places: as many as there are lanes, all of one host.
      is_stopping: asked while a step goes on, or whatever else takes long.

    Raises:
      ActingStoppedError: they were no longer waited for.
      EnvironmentCrashedError: here and below, the process has ended, and with
        it the episodes of all lanes.
    """
    self._host = places[0].host
    self._is_stopping = is_stopping
    self.failures: dict[int, str] = {}
    self._host.begin(len(places), is_stopping)

  def reset(self, lane: int, seed: int, observation: np.ndarray) -> None:
    """See `Lanes`."""
    observation[:], self.failures = self._ask('reset', lane, seed)

  def step(
    self,
    step: int,
    running: Sequence[int],
    actions: np.ndarray,
    observations: np.ndarray,
  ) -> list[int]:
    """See `Lanes`.

    Raises:
      ActingStoppedError: amid the step, which may take long.
    """
    rows = list(running)
    ended, observations[rows], self.failures = self._ask(
      'step', step, rows, actions[rows]
    )
    return ended

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """See `Lanes`."""
    return self._ask('outcome', lane, actions)

  def _ask(self, function: str, *arguments: Any) -> Any:
    return self._host.ask(function, *arguments, is_stopping=self._is_stopping)
