"""Demonstrations that come from a directory."""

from collections.abc import Callable
from pathlib import Path

from datasets.store import EpisodeStore
from datasets.tasks import Task
from datasets.types import EpisodeId
from datasets.validation import check_task
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory


def import_into(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  task: Task,
  on_progress: Callable[[int], None],
) -> None:
  """Copies recorded demonstrations into the run, under its own identities.

  Args:
    config: of the run.
    directory: of the run.
    task: of the run.
    on_progress: told the number of episodes copied, after each.

  Raises:
    ValueError: the directory holds too few whole episodes, or some of another
      task.
  """
  path = config.demonstrations.path
  assert path is not None
  wanted = config.episodes_in(0)
  target = directory.store(0)
  if len(target.digests()) == wanted:
    return
  source = EpisodeStore(Path(path))
  have = len(source.digests())
  if have < wanted:
    raise ValueError(
      f'{path} holds {have} episodes and demonstrations.episodes asks for '
      f'{wanted}. Record more with launchers.demonstrate, or ask for fewer.'
    )
  for index, episode in zip(range(wanted), source, strict=False):
    check_task(episode, task)
    identity = EpisodeId(config.run_name, 0, index % config.num_actors, index)
    target.commit(episode._replace(identity=identity))
    on_progress(index + 1)
