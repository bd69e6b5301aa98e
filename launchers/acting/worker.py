"""The process of `launchers.acting.hosted`: it holds environments.

It is started as python -m launchers.acting.worker FILE_DESCRIPTOR.
"""

from collections.abc import Sequence
import contextlib
from multiprocessing import connection
import signal
import sys
from typing import Any, Optional, Union

import numpy as np

from launchers.acting.separate import SeparateLanes
from launchers.environments import registry
from launchers.environments.base import Description, Environment
from launchers.hosts import process
from launchers.hosts.early import STOPS


class Server:
  """What a `Host` may ask for."""

  def __init__(self) -> None:
    self._order: tuple[str, Optional[float]] = ('', None)
    self._environments: list[Environment] = []
    self._lanes = SeparateLanes([])

  def make(
    self, task: str, action_bound: Optional[float]
  ) -> Union[Description, str]:
    """Makes the first environment; a text says why there is none."""
    self._order = task, action_bound
    try:
      self._environments.append(registry.make(task, action_bound))
    except ValueError as error:
      return str(error)
    return self.describe()

  def describe(self) -> Description:
    """Of the environments."""
    return Description.of(self._environments[0])

  def begin(self, lanes: int) -> None:
    """Makes ready for so many episodes side by side."""
    while len(self._environments) < lanes:
      self._environments.append(registry.make(*self._order))
    self._lanes = SeparateLanes(self._environments[:lanes])

  def reset(self, lane: int, seed: int) -> tuple[np.ndarray, dict[int, str]]:
    """The first observation [S], and all failures."""
    observation = np.zeros(self._width, np.float32)
    self._lanes.reset(lane, seed, observation)
    return observation, self._lanes.failures

  def step(
    self, step: int, running: Sequence[int], actions: np.ndarray
  ) -> tuple[list[int], np.ndarray, dict[int, str]]:
    """Those that ended, the observations of the running, and all failures."""
    rows = np.zeros((len(self._environments), actions.shape[1]), np.float32)
    rows[running] = actions
    observations = np.zeros((len(rows), self._width), np.float32)
    ended = self._lanes.step(step, running, rows, observations)
    return ended, observations[running], self._lanes.failures

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """See `Lanes`."""
    return self._lanes.outcome(lane, actions)

  def close(self) -> None:
    """Closes the environments."""
    for environment in self._environments:
      environment.close()

  @property
  def _width(self) -> int:
    return self._environments[0].spec.observation_size


def main() -> None:
  """Answers until nobody asks any more."""
  process.enter_node('environments')
  # Whoever holds it hears the stops, which may go to a whole group.
  for number in STOPS:
    signal.signal(number, signal.SIG_IGN)
  pipe: Any = connection.Connection(int(sys.argv[1]))
  server = Server()
  # Whoever asks closes the pipe, or has died.
  with contextlib.suppress(EOFError, ConnectionError):
    while True:
      function, arguments = pipe.recv()
      pipe.send(getattr(server, function)(*arguments))
  server.close()


if __name__ == '__main__':
  main()
