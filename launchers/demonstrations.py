"""Demonstrations that come from a directory."""

from pathlib import Path

from rich.console import Console

from datasets.store import EpisodeStore
from datasets.types import EpisodeId
from launchers.config import GrowingBatchConfig
from launchers.display import progress_bar
from launchers.run_directory import RunDirectory


def import_into(
  config: GrowingBatchConfig, directory: RunDirectory, console: Console
) -> None:
  """Copies recorded demonstrations into the run, under its own identities.

  Raises:
    ValueError: the directory holds too few whole episodes.
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
  with progress_bar(console) as progress:
    task = progress.add_task(
      'importing demonstrations', total=wanted, unit='episodes'
    )
    for index, episode in zip(range(wanted), source, strict=False):
      identity = EpisodeId(config.run_name, 0, index % config.num_actors, index)
      target.commit(episode._replace(identity=identity))
      progress.advance(task)
