"""Demonstrations that come from a directory: none is copied before all pass."""

from collections.abc import Callable
import functools
import itertools

from datasets.files import DamagedFileError
from datasets.store import Check, EpisodeStore
from datasets.tasks import Task
from datasets.types import Episode, EpisodeId
from datasets.validation import EpisodeRefused, check_from_file
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory


def check_source(config: GrowingBatchConfig, task: Task) -> None:
  """Refuses a directory whose demonstrations the run cannot learn from.

  Raises:
    FileNotFoundError: there is no such directory.
    ValueError: it holds too few episodes, or one that nothing may learn from;
      names the file and the episode.
    files.DamagedFileError: an episode of it is torn or altered.
  """
  source = _source(config)
  wanted = config.episodes_in(0)
  have = len(source)
  if have < wanted:
    raise ValueError(
      f'{source.directory} holds {have} episodes and demonstrations.episodes '
      f'asks for {wanted}. Record more with launchers.demonstrate, or ask for '
      'fewer.'
    )
  for _ in itertools.islice(source.checked(_check_of(task)), wanted):
    pass


def import_into(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  task: Task,
  on_progress: Callable[[int], None],
) -> None:
  """Copies recorded demonstrations into the run, under its own identities.

  Copies that are there already are checked as the originals were: what was
  refused is set aside, and copied again.

  Args:
    config: of the run.
    directory: of the run.
    task: of the run.
    on_progress: told the number of episodes copied, after each.

  Raises:
    FileNotFoundError: there is no such directory, which is not made either.
    ValueError: the directory holds too few episodes, or one that nothing may
      learn from. Nothing was copied.
    files.DamagedFileError: an episode of it is torn or altered.
  """
  if holds_all(config, directory, task):
    return
  check_source(config, task)
  target = directory.store(0)
  is_learned_from = (directory.cycle(0) / 'batch.json').exists()
  if not is_learned_from:
    _empty(target)  # Of an import that was cut off; the source may be mended.
  wanted = config.episodes_in(0)
  copies = _source(config).checked(_check_of(task))
  try:
    for index, episode in enumerate(itertools.islice(copies, wanted)):
      identity = EpisodeId(config.run_name, 0, 0, index)
      target.commit(episode._replace(identity=identity))
      on_progress(index + 1)
  except (DamagedFileError, EpisodeRefused):
    if not is_learned_from:
      _empty(target)  # The source has changed since it was checked.
    raise


def holds_all(
  config: GrowingBatchConfig, directory: RunDirectory, task: Task
) -> bool:
  """Whether the run has its demonstrations; sets aside what is none of them."""
  if not directory.demonstrations.is_dir():
    return False
  check = _check_of(task)

  def check_copy(episode: Episode) -> None:
    if episode.identity.cycle != 0 or not config.wants(episode.identity):
      raise EpisodeRefused(f'{episode.identity} is none of this run.')
    check(episode)

  store = directory.store(0)
  for path, reason in store.quarantine(check_copy):
    print(f'Set aside {path}: {reason}', flush=True)
  return len(store) == config.episodes_in(0)


def _source(config: GrowingBatchConfig) -> EpisodeStore:
  path = config.demonstrations.path
  assert path is not None
  return EpisodeStore.open(path)


def _check_of(task: Task) -> Check:
  return functools.partial(check_from_file, task=task)


def _empty(store: EpisodeStore) -> None:
  for identity in store.digests():
    store.discard(identity)
