"""config.json: a directory belongs to one configuration."""

from collections.abc import Iterator
import dataclasses
import json
from pathlib import Path
from typing import Any, Optional, Protocol

from datasets import files
from datasets.schema import shortened
from launchers.environments import names
from launchers.runs import provenance, schemas
from launchers.runs.config import GrowingBatchConfig

_INTRODUCED = {
  'action_bound': None,
  'agent.kind': 'd4pg',
  'first_episodes': None,
  'gate': {'rule': ['always'], 'updates': None, 'members': 5},
  'max_refused_fraction': 0.25,
  'objective.between_weight': 5.0,
  'objective.decay_steps': None,
  'objective.filter_critic': 'online',
  'pupil': None,
  'teacher_nodes': None,
  'uniform_start': False,
}
"""Options that older configurations lack, and what was done before them."""

_FREE = (
  'checkpoint_interval', 'evaluation.episodes', 'evaluation.final_episodes',
  'evaluation_episodes',
  'evaluation.interval', 'max_refused_fraction', 'num_actors',
  'teacher_nodes',
)  # fmt: skip
"""Options that cannot alter what is done, only how it is watched and kept."""

_HORIZON = 'objective.decay_steps'
_NO_OPTIONS = ('provenance', 'history')
_APPENDING = (
  ' Cycles can be appended, with as many actor_steps and learner_steps in each '
  'as before.'
)


class ConfigChangedError(RuntimeError):
  """A run directory holds another configuration."""


class Freezable(Protocol):
  """A configuration as plain data."""

  def to_json(self) -> dict[str, Any]:
    """The tree, with the derived numbers resolved."""


def freeze(
  config: Freezable, directory: Path, elsewhere: str = '--name'
) -> None:
  """Writes config.json, with what it was made by, or changes it as allowed.

  Everything else that can be refused is to be refused before: what is written
  here is what the directory belongs to from then on.

  Args:
    config: of the command.
    directory: its own.
    elsewhere: the option that names another directory.

  Raises:
    ConfigChangedError: another configuration is there; says what differs.
  """
  path, new = directory / 'config.json', config.to_json()
  old = check(config, directory, elsewhere)
  made_by = {'provenance': provenance.collect()}
  if old is None:
    tree = {**new, **made_by}
  else:
    changed = list(differences(old, new))
    if not changed:
      return
    entry = {'changed': changed, **made_by}
    tree = {**old, **new, 'history': [*old.get('history', []), entry]}
  files.write_text(path, json.dumps(tree, indent=2) + '\n')


def check(
  config: Freezable, directory: Path, elsewhere: str = '--name'
) -> Optional[dict[str, Any]]:
  """What config.json holds, if it allows this configuration; see `freeze`.

  Raises:
    ConfigChangedError: another configuration is there; says what differs.
  """
  old = _stored(directory, elsewhere)
  if old is None:
    return None
  new = config.to_json()
  changes = _forbidden(old, new)
  if changes:
    have_cycles = 'cycles' in old and 'cycles' in new
    raise ConfigChangedError(
      f'{directory} was made with another configuration:\n'
      + '\n'.join(f'  {change}' for change in changes)
      + '\nGive these options their old values to go on there, or use another '
      f'{elsewhere}.' + (_APPENDING if have_cycles else '')
    )
  return old


def _stored(
  directory: Path, elsewhere: str = '--name'
) -> Optional[dict[str, Any]]:
  """What config.json holds; None where there is none."""
  path = directory / 'config.json'
  try:
    return schemas.read(path) if path.exists() else None
  except files.DamagedFileError as error:
    raise ConfigChangedError(f'{error}, or use another {elsewhere}.') from error


def options_of(tree: dict[str, Any]) -> dict[str, Any]:
  """The options alone, without what they were first run with."""
  return {k: v for k, v in tree.items() if k not in _NO_OPTIONS}


def _forbidden(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
  """The changes that would alter what was done."""
  appended = _appended(old, new)
  return [
    change
    for change in differences(old, new)
    if change.partition(':')[0] not in (*_FREE, *appended)
  ]


def _appended(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
  """What may differ because cycles like the ones before are appended."""
  before, now = old.get('cycles'), new.get('cycles')
  if type(before) is not int or type(now) is not int or not 0 < before < now:
    return ()
  for name in ('actor_steps', 'learner_steps'):
    value = old.get(name)
    if type(value) is not int or new[name] * before != value * now:
      return ()
  is_pinned = new['objective']['decay_steps'] == old['learner_steps']
  names = ('cycles', 'actor_steps', 'learner_steps')
  return (*names, _HORIZON) if is_pinned else names


def keep_horizon(
  config: GrowingBatchConfig, directory: Path
) -> GrowingBatchConfig:
  """The configuration in which alpha falls as it did at the run's first start.

  Appended cycles would stretch its fall over all of them, and what the earlier
  ones learned would no longer be what the configuration says. So it ends where
  it ended, and stays there in the cycles that follow.

  Raises:
    ConfigChangedError: config.json is damaged.
  """
  old = _stored(directory)
  if old is None or config.objective.decay_steps is not None:
    return config
  objective, cycles = old.get('objective'), old.get('cycles')
  if not isinstance(objective, dict) or type(cycles) is not int:
    return config  # `check` will say what is wrong with it.
  steps = objective.get('decay_steps')
  if steps is None and 0 < cycles < config.cycles:
    steps = old.get('learner_steps')
  kept = dataclasses.replace(config.objective, decay_steps=steps)
  return dataclasses.replace(config, objective=kept)


def differences(old: Any, new: Any, where: str = '') -> Iterator[str]:
  """What two configurations do not have in common, a line an option."""
  if isinstance(old, dict) and isinstance(new, dict):
    if not where:
      old, new = _with_teacher(options_of(old)), options_of(new)
    for key in sorted(old.keys() | new.keys()):
      path = f'{where}.{key}' if where else key
      before = old.get(key, _INTRODUCED.get(path))
      if path == 'task':  # Older ones keep it as the person wrote it.
        before = names.canonical(str(before))
      yield from differences(before, new.get(key), path)
  elif old != new:
    yield f'{where}: {shortened(old)} there, {shortened(new)} here'


def _with_teacher(tree: dict[str, Any]) -> dict[str, Any]:
  """An older run had its demonstrator for a teacher."""
  demonstrations = tree.get('demonstrations')
  if 'teacher' in tree or not isinstance(demonstrations, dict):
    return tree
  return {**tree, 'teacher': demonstrations.get('teacher')}
