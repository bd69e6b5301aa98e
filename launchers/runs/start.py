"""Beginning a run from the cycle 0 of another one, or from a later one.

Demonstrations, cloning and critic pre-training do not depend on the objective:
runs that compare objectives share them, and so begin with the same networks.
"""

from collections.abc import Iterator
import functools
from pathlib import Path
import shutil
from typing import Any

from rich.console import Console

from agents import registry
from datasets import files
from datasets.store import EpisodeStore
from datasets.tasks import Task
from datasets.types import Episode, EpisodeId
from datasets.validation import check_from_file
from launchers.environments.names import canonical
from launchers.runs import schemas
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.frozen import options_of
from launchers.runs.run_directory import RunDirectory

_LATER = (
  'name', 'teacher', 'cycles', 'actor_steps', 'samples_per_insert',
  'learner_steps', 'acting_noise', 'objective', 'teacher_nodes',
  'mix_demonstrations', 'checkpoint_interval', 'max_refused_fraction', 'gate',
)  # fmt: skip
_LATER_OF = {
  'demonstrations': ('teacher',),
  'evaluation': ('interval', 'episodes'),
}
"""The options that change nothing before cycle 1; the agent's are in its
registry's entry."""


def check(
  source: Path,
  last: int,
  config: GrowingBatchConfig,
  directory: RunDirectory,
  task: Task,
  demonstrator: str,
) -> None:
  """Refuses a run whose cycle 0 is not that of the run that begins.

  Args:
    source: the directory of a run whose cycles up to `last` are finished.
    last: the cycle of it after which the run goes its own way.
    config: of the run that begins.
    directory: of the run that begins; if it has a cycle 0, it keeps that.
    task: of the run that begins.
    demonstrator: the version of its demonstrator.

  Raises:
    ValueError: one of these is unfinished, or came from other options or
      another task; says which.
  """
  if directory.policy_path(last).exists():
    return
  start = RunDirectory(source)
  policy = start.policy(last)
  if policy is None:
    raise ValueError(
      f'{source} has no finished cycle {last} to start from. Run it first, or '
      'leave --start out.'
    )
  changes = [
    f'{key}: {old!r} there, {new!r} here'
    for key, (old, new) in _differences(start, config, demonstrator).items()
  ]
  if last:
    changes += _later_differences(start, last, config)
  if policy.task is not None:  # An older run's does not say.
    changes += [f'task.{text}' for text in policy.task.differences(task)]
  if changes:
    raise ValueError(
      f'{source} ran with other options, its cycle {last} is not that of this '
      'run: ' + '; '.join(changes) + '.'
    )
  if config.mix_demonstrations:
    for _ in _demonstrations(start, task):
      pass


def copy_from(
  source: Path,
  last: int,
  config: GrowingBatchConfig,
  directory: RunDirectory,
  task: Task,
  console: Console,
) -> None:
  """Copies the cycles of a run that passes `check` into one that lacks them."""
  if directory.policy_path(last).exists():
    return
  start = RunDirectory(source)
  if config.mix_demonstrations:
    target = directory.store(0)
    for episode in _demonstrations(start, task):
      identity = EpisodeId(config.run_name, *episode.identity[1:])
      target.commit(episode._replace(identity=identity))
  for cycle in range(last + 1):
    _copy_cycle(start, directory, cycle)
    if cycle:
      _copy_episodes(start, directory, cycle, config.run_name, task)
    # Last of all: a cycle with a policy is finished.
    policy = start.policy_path(cycle).read_bytes()
    files.write_bytes(directory.policy_path(cycle), policy)
  which = f'Cycles 0 to {last} are those' if last else 'Cycle 0 is that'
  console.print(
    f'{which} of {source}.',
    highlight=False,
    markup=False,
    soft_wrap=True,
  )


def _demonstrations(start: RunDirectory, task: Task) -> Iterator[Episode]:
  check = functools.partial(check_from_file, task=task)
  return EpisodeStore.open(start.demonstrations).checked(check)


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


def _later_differences(
  start: RunDirectory, last: int, config: GrowingBatchConfig
) -> list[str]:
  """What cycles 1 to `last` depend on and is not the same, there and here.

  What follows them may be learned otherwise, but each cycle is as long.
  """
  tree = options_of(schemas.read(start.config))
  cycles = max(tree['cycles'], 1)
  there: dict[str, Any] = {
    'actor_steps a cycle': tree['actor_steps'] // cycles,
    'learner_steps a cycle': tree['learner_steps'] // cycles,
    'mix_demonstrations': tree['mix_demonstrations'],
  }
  here: dict[str, Any] = {
    'actor_steps a cycle': config.actor_steps // max(config.cycles, 1),
    'learner_steps a cycle': config.learner_steps_per_cycle,
    'mix_demonstrations': config.mix_demonstrations,
  }
  asks = config.objective.uses_teacher_actions
  if asks:  # Its advice is in the episodes.
    there['teacher'], here['teacher'] = tree['teacher'], config.advisor
  changes = [
    f'{key}: {there[key]!r} there, {here[key]!r} here'
    for key in there
    if there[key] != here[key]
  ]
  if config.cycles <= last:
    changes.append(f'cycles: {config.cycles} here, of which none is left')
  if asks and not start.teacher_record('advisor').exists():
    changes.append(
      f'objective.kind: {config.objective.kind} here needs the advice on its '
      'episodes, which nobody was asked for there'
    )
  return changes


def _copy_cycle(
  start: RunDirectory, directory: RunDirectory, cycle: int
) -> None:
  """All but its policy, and what is made of the run's own identities."""
  if start.teacher_result.exists():
    shutil.copyfile(start.teacher_result, directory.teacher_result)
  shutil.copytree(
    start.cycle(cycle),
    directory.cycle(cycle),
    ignore=shutil.ignore_patterns(
      'policy.npz', 'batch.json', 'episodes', 'inbox'
    ),
    dirs_exist_ok=True,
  )


def _copy_episodes(
  start: RunDirectory,
  directory: RunDirectory,
  cycle: int,
  run: str,
  task: Task,
) -> None:
  """Under identities of the run that begins."""
  target = directory.store(cycle)
  source = EpisodeStore.open(start.store(cycle).directory)
  for episode in source.checked(functools.partial(check_from_file, task=task)):
    identity = episode.identity._replace(run=run)
    target.commit(episode._replace(identity=identity))
