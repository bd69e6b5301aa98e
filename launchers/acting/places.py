"""Where the episodes of a task are acted.

A suite task's environments are in this process, where they are fastest. Any
other's are in a process of their own; see `launchers.acting.hosted`.
"""

from pathlib import Path
from typing import Optional

from launchers.acting.hosted import (
  EnvironmentCrashedError,
  Host,
  HostedEnvironment,
)
from launchers.acting.lanes import Place
from launchers.acting.rollouts import LANES
from launchers.environments import names, registry
from launchers.environments.base import Description


class Places:
  """The places of one task, which come as they are needed.

  The loop that uses it:

      places = Places(config.task, config.action_bound)
      for cycle in cycles:
        places.refresh()
        rollouts.run_episodes(places.take(len(seeds)), behaviour, ...)
  """

  def __init__(self, task: str, action_bound: Optional[float]):
    """Makes nothing yet.

    Args:
      task: its canonical name.
      action_bound: stands in for bounds that its actions lack.
    """
    self._order = task, action_bound
    self._host = Host(*self._order) if names.is_foreign(task) else None
    self._places: list[Place] = []

  def take(self, count: int = LANES) -> list[Place]:
    """So many of them.

    Raises:
      ValueError: there is no such environment, or none can learn in it.
    """
    while len(self._places) < count:
      self._places.append(
        HostedEnvironment(self._host)
        if self._host
        else registry.make(*self._order)
      )
    return self._places[:count]

  def refresh(self) -> None:
    """Ends what environments that are not ours may have leaked."""
    if self._host:
      self._host.recycle()

  @property
  def description(self) -> Description:
    """Of the task.

    Raises:
      ValueError: there is no such environment, or none can learn in it.
    """
    if self._host is None:
      return Description.of(registry.make(*self._order))
    try:
      return self._host.description
    except EnvironmentCrashedError as error:
      raise ValueError(
        f'{self._order[0]} cannot be made: {error} Run it by itself first: '
        f'python -m launchers.check_environment --task {self._order[0]}'
      ) from error


def describe(task: str, action_bound: Optional[float] = None) -> Description:
  """What a task is; its environment is closed again.

  Raises:
    OSError: its description cannot be read.
    ValueError: there is no such environment, or none can learn in it.
  """
  name = names.canonical(task)
  if names.is_described(name):
    from launchers.environments import described  # pint: on no worker.

    return described.load(Path(name)).description
  places = Places(name, action_bound)
  description = places.description
  places.refresh()
  return description
