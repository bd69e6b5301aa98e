"""An episode as named arrays and JSON metadata, for files and for Reverb."""

from collections.abc import Mapping
import functools
import json
from typing import Any, Optional

import numpy as np

from datasets.tasks import Task
from datasets.types import Annotation, Episode, EpisodeId

ADVICE = 'advice'
REQUIRED = ('observations', 'actions', 'rewards', 'discounts')


def to_arrays(episode: Episode) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
  """An episode's arrays and metadata; advice only where there is some."""
  arrays = {name: np.asarray(getattr(episode, name)) for name in REQUIRED}
  metadata: dict[str, Any] = {
    # int() because NumPy's integers are no JSON.
    'identity': [episode.identity.run, *map(int, episode.identity[1:])],
    'policy': episode.policy,
  }
  if episode.annotation is not None:
    arrays[ADVICE] = np.asarray(episode.annotation.actions)
    metadata['teacher'] = episode.annotation.teacher
    metadata['version'] = episode.annotation.version
  if episode.task is not None:
    metadata['task'] = episode.task.to_json()
  return arrays, metadata


def from_arrays(
  arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> Episode:
  """The episode of `to_arrays`.

  Args:
    arrays: by name.
    metadata: of the episode.

  Returns:
    The episode, whose content is not checked (see `validation`).

  Raises:
    ValueError: something of an episode is missing, or its task is none.
  """
  missing = set(REQUIRED) - set(arrays)
  missing |= {'identity', 'policy'} - set(metadata)
  if ADVICE in arrays:
    missing |= {'teacher', 'version'} - set(metadata)
  if missing:
    raise ValueError(f'This is no episode: it lacks {sorted(missing)}.')
  annotation = None
  if ADVICE in arrays:
    annotation = Annotation(
      metadata['teacher'], metadata['version'], arrays[ADVICE]
    )
  return Episode(
    EpisodeId(*metadata['identity']),
    metadata['policy'],
    arrays['observations'],
    arrays['actions'],
    arrays['rewards'],
    arrays['discounts'],
    annotation,
    _task_of(metadata),
  )


def _task_of(metadata: Mapping[str, Any]) -> Optional[Task]:
  """None in what was written before episodes carried their task."""
  if 'task' not in metadata:
    return None
  return _parse_task(json.dumps(metadata['task'], sort_keys=True))


# The episodes of a run share one task, which is then one object, too.
@functools.lru_cache(maxsize=64)
def _parse_task(text: str) -> Task:
  return Task.from_json(json.loads(text))
