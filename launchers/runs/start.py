"""Beginning a run from the cycle 0 of another one.

Demonstrations, cloning and critic pre-training do not depend on the objective:
runs that compare objectives share them, and so begin with the same networks.
"""

from collections.abc import Iterator
from pathlib import Path
import shutil
from typing import Any

from rich.console import Console

from agents import registry
from datasets import files
from datasets.store import EpisodeStore
from datasets.tasks import Task
from datasets.types import Episode, EpisodeId
from datasets.validation import check_episode, check_task
from launchers.environments.names import canonical
from launchers.runs import schemas
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.frozen import options_of
from launchers.runs.run_directory import RunDirectory

_LATER = (
  'name', 'teacher', 'cycles', 'actor_steps', 'samples_per_insert',
  'learner_steps', 'acting_noise', 'objective', 'teacher_nodes',
  'mix_demonstrations', 'checkpoint_interval', 'max_refused_fraction',
)  # fmt: skip
_LATER_OF = {
  'demonstrations': ('teacher',),
  'evaluation': ('interval', 'episodes'),
}
"""The options that change nothing before cycle 1; the agent's are in its
registry's entry."""


def check(
  source: Path,
  config: GrowingBatchConfig,
  directory: RunDirectory,
  task: Task,
  demonstrator: str,
) -> None:
  """Refuses a run whose cycle 0 is not that of the run that begins.

  Args:
    source: the directory of a run whose cycle 0 is finished.
    config: of the run that begins.
    directory: of the run that begins; if it has a cycle 0, it keeps that.
    task: of the run that begins.
    demonstrator: the version of its demonstrator.

  Raises:
    ValueError: cycle 0 of `source` is unfinished, or came from other options or
      another task; says which.
  """
  if directory.policy_path(0).exists():
    return
  start = RunDirectory(source)
  policy = start.policy(0)
  if policy is None:
    raise ValueError(
      f'{source} has no finished cycle 0 to start from. Run it first, or leave '
      '--start out.'
    )
  changes = [
    f'{key}: {old!r} there, {new!r} here'
    for key, (old, new) in _differences(start, config, demonstrator).items()
  ]
  if policy.task is not None:  # An older run's does not say.
    changes += [f'task.{text}' for text in policy.task.differences(task)]
  if changes:
    raise ValueError(
      f'{source} began with other options, its cycle 0 is not that of this '
      'run: ' + '; '.join(changes) + '.'
    )
  if config.mix_demonstrations:
    for _ in _demonstrations(start, task):
      pass


def copy_from(
  source: Path,
  config: GrowingBatchConfig,
  directory: RunDirectory,
  task: Task,
  console: Console,
) -> None:
  """Copies cycle 0 of a run that passes `check` into one that has none."""
  if directory.policy_path(0).exists():
    return
  start = RunDirectory(source)
  if config.mix_demonstrations:
    target = directory.store(0)
    for episode in _demonstrations(start, task):
      identity = EpisodeId(config.run_name, *episode.identity[1:])
      target.commit(episode._replace(identity=identity))
  _copy_cycle(start, directory)
  console.print(
    f'Cycle 0 is that of {source}.',
    highlight=False,
    markup=False,
    soft_wrap=True,
  )


def _demonstrations(start: RunDirectory, task: Task) -> Iterator[Episode]:
  def check_episode_of_task(episode: Episode) -> None:
    check_episode(episode, task.spec)
    check_task(episode, task)

  return EpisodeStore.open(start.demonstrations).checked(check_episode_of_task)


def _differences(
  start: RunDirectory, config: GrowingBatchConfig, demonstrator: str
) -> dict[str, tuple[Any, Any]]:
  """What cycle 0 depends on and is not the same, there and here."""
  there = _options_of_cycle_0(options_of(schemas.read(start.config)))
  here = _options_of_cycle_0(config.to_json())
  # Not its address, under which another teacher may be by now.
  there['demonstrator'] = start.teacher_identity('demonstrator')[1]
  here['demonstrator'] = demonstrator
  keys = sorted(there.keys() | here.keys())
  pairs = {key: (there.get(key), here.get(key)) for key in keys}
  return {key: (old, new) for key, (old, new) in pairs.items() if old != new}


def _options_of_cycle_0(tree: dict[str, Any]) -> dict[str, Any]:
  kept = {key: value for key, value in tree.items() if key not in _LATER}
  kept['task'] = canonical(tree.get('task', ''))
  kind = tree.get('agent', {}).get('kind', 'd4pg')
  later_of = {**_LATER_OF, 'agent': registry.find(kind).later_options}
  for group, names in later_of.items():
    options = tree.get(group, {})
    kept[group] = {k: v for k, v in options.items() if k not in names}
  return kept


def _copy_cycle(start: RunDirectory, directory: RunDirectory) -> None:
  """Its policy last: a cycle with a policy is finished."""
  if start.teacher_result.exists():
    shutil.copyfile(start.teacher_result, directory.teacher_result)
  target = directory.cycle(0)
  shutil.copytree(
    start.cycle(0),
    target,
    # The digest of the demonstrations is made of the run's own identities.
    ignore=shutil.ignore_patterns('policy.npz', 'batch.json'),
    dirs_exist_ok=True,
  )
  policy = start.policy_path(0).read_bytes()
  files.write_bytes(directory.policy_path(0), policy)
