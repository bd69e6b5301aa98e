"""Makes the log of a study's cells, and looks at what is in it."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from datasets import addresses
from datasets.store import EpisodeStore, digest_of
from launchers.runs.frozen import freeze
from launchers.runs.run_directory import RunDirectory
from launchers.studies.config import StudyError
from launchers.studies.offline import LogConfig
from launchers.studies.stages import LOG


def check(config: LogConfig) -> None:
  """Refuses a log that cannot be, before anything is run.

  Raises:
    StudyError: says what is wrong with what the study says of it.
  """
  try:
    if not config.make:
      for directory in config.data:
        EpisodeStore.open(Path(directory))
      return
    path, arguments = addresses.split(config.make)
    make = addresses.find(path)
    first = (Path(), config.task, config.seed)
    addresses.check_arguments(path, make, arguments, *first)
  except (ValueError, OSError) as error:
    raise StudyError(f'logs.{config.log}: {error}') from error


def make(config: LogConfig, root: Path) -> None:
  """Makes a log, or goes on, and writes log.json.

  Args:
    config: says who makes it, or where it is.
    root: its directory, which nobody else is in.

  Raises:
    StudyError: it has fewer episodes than it is to have.
    Exception: whatever who makes it raises.
  """
  freeze(config, root)
  (directory,) = config.directories(root)[:1]
  if config.make:
    path, arguments = addresses.split(config.make)
    addresses.find(path)(directory, config.task, config.seed, **arguments)
  RunDirectory(root).write_json(root / LOG, _describe(config, root))


def _describe(config: LogConfig, root: Path) -> dict[str, Any]:
  returns: list[float] = []
  transitions, digests = 0, hashlib.sha256()
  for directory in config.directories(root):
    store = EpisodeStore.open(directory)
    identities = store.identities()[: config.first_episodes]
    if len(identities) < (config.first_episodes or 1):
      raise StudyError(
        f'logs.{config.log}: {directory} holds {len(identities)} episodes; '
        f'wanted are {config.first_episodes or "some"}.'
      )
    digests.update(digest_of(store.digests(identities)).encode())
    for identity in identities:
      episode = store.read(identity)
      returns.append(episode.episode_return)
      transitions += episode.num_steps
  return {
    'configuration': config.to_json(),
    'episodes': len(returns),
    'transitions': transitions,
    'digest': digests.hexdigest(),
    'return_mean': float(np.mean(returns)),
    'return_std': float(np.std(returns)),
    'return_max': float(max(returns)),
  }
