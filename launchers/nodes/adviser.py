"""Who asks a teacher about whole episodes, beside the curator."""

from collections.abc import Callable
from concurrent import futures
import threading
from typing import Optional

import numpy as np

from datasets.types import Annotation, Episode, EpisodeId
from teachers.base import Teacher
from teachers.checks import ask_actions

_ROWS = 8_192  # Most observations in one question to a teacher.


class Adviser:
  """Asks a teacher about whole episodes, several at a time.

  It works in threads of its own, so that a teacher that is slow or away does
  not keep the curator from making durable what comes in.
  """

  def __init__(self, load: Callable[[], Teacher], num_workers: int):
    """Starts no thread before there is something to ask.

    Args:
      load: gives the teacher; called once, when it is first needed.
      num_workers: questions at a time.
    """
    self._load = load
    self._teacher: Optional[Teacher] = None
    self._loading = threading.Lock()
    self._pool = futures.ThreadPoolExecutor(num_workers, 'adviser')
    self._answers: dict[EpisodeId, futures.Future[Episode]] = {}

  def __contains__(self, identity: EpisodeId) -> bool:
    return identity in self._answers

  def __len__(self) -> int:
    return len(self._answers)

  def ask(self, episode: Episode) -> None:
    """Asks what the teacher would have done in the episode."""
    self._answers[episode.identity] = self._pool.submit(self._ask, episode)

  def answered(self) -> list[Episode]:
    """The episodes whose advice has come, annotated; each once.

    Raises:
      Exception: what the teacher's answer was refused for.
    """
    done = [i for i, answer in self._answers.items() if answer.done()]
    return [self._answers.pop(identity).result() for identity in done]

  def _ask(self, episode: Episode) -> Episode:
    with self._loading:
      self._teacher = self._teacher or self._load()
    teacher, observations = self._teacher, episode.observations[:-1]
    actions = [
      ask_actions(teacher, observations[i : i + _ROWS])
      for i in range(0, len(observations), _ROWS)
    ]
    annotation = Annotation(
      teacher.name, teacher.version, np.concatenate(actions)
    )
    return episode._replace(annotation=annotation)
