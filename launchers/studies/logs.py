"""Makes the log of a study's cells, and looks at what is in it."""

import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from datasets import addresses
from datasets.store import Check, EpisodeStore, digest_of
from datasets.tasks import Task
from datasets.types import EpisodeId
from datasets.validation import check_from_file
from launchers.runs.frozen import freeze
from launchers.runs.run_directory import RunDirectory
from launchers.studies.config import StudyError
from launchers.studies.offline import LogConfig
from launchers.studies.stages import LOG


def check(config: LogConfig, task: Task) -> None:
  """Refuses a log that cannot be, before anything is run.

  Of a log that is there, the first episode of each directory is looked at.

  Args:
    config: says who makes it, or where it is.
    task: of the cells that learn from it.

  Raises:
    StudyError: says what is wrong with what the study says of it.
  """
  try:
    if not config.make:
      for directory in config.data:
        store = EpisodeStore.open(Path(directory))
        first = _identities(config, store)[:1]
        list(store.checked(_check_of(task), first))
      return
    path, arguments = addresses.split(config.make)
    make = addresses.find(path)
    given = (Path(), config.task, config.seed)
    addresses.check_arguments(path, make, arguments, *given)
  except StudyError:
    raise
  except (ValueError, OSError) as error:
    raise StudyError(f'logs.{config.log}: {error}') from error


def make(config: LogConfig, task: Task, root: Path) -> None:
  """Makes a log, or goes on, and writes log.json.

  Args:
    config: says who makes it, or where it is.
    task: of the cells that learn from it.
    root: its directory, which nobody else is in.

  Raises:
    StudyError: it has fewer episodes than it is to have.
    EpisodeRefused: one of them is not sound, or of another task.
    Exception: whatever who makes it raises.
  """
  freeze(config, root)
  (directory,) = config.directories(root)[:1]
  if config.make:
    path, arguments = addresses.split(config.make)
    addresses.find(path)(directory, config.task, config.seed, **arguments)
  RunDirectory(root).write_json(root / LOG, _describe(config, task, root))


def _identities(config: LogConfig, store: EpisodeStore) -> list[EpisodeId]:
  """The episodes of a store that the log is of; refuses too few."""
  identities = store.identities()[: config.first_episodes]
  if len(identities) < (config.first_episodes or 1):
    raise StudyError(
      f'logs.{config.log}: {store.directory} holds {len(identities)} episodes; '
      f'wanted are {config.first_episodes or "some"}.'
    )
  return identities


def _check_of(task: Task) -> Check:
  return functools.partial(check_from_file, task=task)


def _describe(config: LogConfig, task: Task, root: Path) -> dict[str, Any]:
  returns: list[float] = []
  transitions, digests = 0, hashlib.sha256()
  for directory in config.directories(root):
    store = EpisodeStore.open(directory)
    identities = _identities(config, store)
    for episode in store.checked(_check_of(task), identities):
      returns.append(episode.episode_return)
      transitions += episode.num_steps
    digests.update(digest_of(store.digests(identities)).encode())
  return {
    'configuration': config.to_json(),
    'episodes': len(returns),
    'transitions': transitions,
    'digest': digests.hexdigest(),
    'return_mean': float(np.mean(returns)),
    'return_std': float(np.std(returns)),
    'return_max': float(max(returns)),
  }
