"""Transitions annotated per second; see benchmarks.teachers."""

from collections.abc import Callable
import time

from benchmarks import teachers_parts
from datasets.types import Episode
from launchers.nodes.curator import Adviser
from teachers import client
from teachers.base import Teacher

_POLL = 0.001  # Seconds between two looks at what is answered.


def rates(windows: int, num_episodes: int) -> dict[str, list[float]]:
  """Transitions per second in each window, by who answers."""
  some = teachers_parts.episodes(num_episodes)
  with teachers_parts.services(2) as addresses:
    teachers: dict[str, tuple[Callable[[], Teacher], int]] = {
      'in_process': (lambda: teachers_parts.make(teachers_parts.TASK), 1),
      'one_service': (lambda: client.connect(addresses[:1]), 1),
      'two_services': (lambda: client.connect(addresses), 2),
    }
    advisers = {name: Adviser(*who) for name, who in teachers.items()}
    for adviser in advisers.values():
      _annotate(adviser, some)  # Connects, fills the caches.
    found: dict[str, list[float]] = {name: [] for name in advisers}
    for _ in range(windows):
      for name, adviser in advisers.items():
        started = time.perf_counter()
        steps = _annotate(adviser, some)
        found[name].append(steps / (time.perf_counter() - started))
    return found


def _annotate(adviser: Adviser, some: list[Episode]) -> int:
  """Asks about all episodes; returns how many transitions they have."""
  for episode in some:
    adviser.ask(episode)
  steps = 0
  while len(adviser):
    steps += sum(episode.num_steps for episode in adviser.answered())
    time.sleep(_POLL)
  return steps
