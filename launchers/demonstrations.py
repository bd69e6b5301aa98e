"""Where the data of cycle 0 come from: a teacher's policy, or a directory."""

from pathlib import Path

from rich.console import Console

from datasets import files
from datasets.store import EpisodeStore
from datasets.types import EnvironmentSpec, EpisodeId
from launchers.config import GrowingBatchConfig
from launchers.display import progress_bar
from launchers.run_directory import RunDirectory
from teachers import snapshot, untrained


def adopt_teacher(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  spec: EnvironmentSpec,
  console: Console,
) -> None:
  """Puts the teacher's policy into the run directory, where it stays.

  Raises:
    FileNotFoundError: there is no such teacher.
    ValueError: it is for another task.
  """
  if config.teacher == untrained.NAME:
    console.print(
      f'[bold yellow]No expert ships for {config.task}: an untrained policy '
      'demonstrates.[/] Train one with `python -m launchers.online --task '
      f'{config.task}` and name it with --demonstrations.teacher.'
    )
  if directory.teacher_policy.exists():
    return
  if config.teacher == untrained.NAME:
    policy = untrained.make(*spec, config.seed)
    files.write_bytes(directory.teacher_policy, policy.to_bytes())
    return
  teacher = snapshot.load(config.teacher)
  if teacher.policy.spec != spec:
    raise ValueError(
      f'The teacher {config.teacher} is for {teacher.policy.spec}, but '
      f'{config.task} has {spec}. Choose a teacher of this task.'
    )
  files.write_bytes(directory.teacher_policy, teacher.policy.to_bytes())


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
