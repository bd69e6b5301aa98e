"""config.json: a run directory belongs to one configuration."""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any, Protocol

from datasets import files, records
from launchers.environments import names

_INTRODUCED = {
  'action_bound': None,
  'agent.kind': 'd4pg',
  'max_refused_fraction': 0.25,
}
"""Options that older configurations lack, and what was done before them."""


class ConfigChangedError(RuntimeError):
  """A run directory holds another configuration."""


class Freezable(Protocol):
  """A configuration as plain data."""

  def to_json(self) -> dict[str, Any]:
    """The tree, with the derived numbers resolved."""


def freeze(config: Freezable, directory: Path) -> None:
  """Writes config.json, or checks that the one there is the same.

  Raises:
    ConfigChangedError: another configuration is there; says what differs.
  """
  path = directory / 'config.json'
  new = config.to_json()
  if not path.exists():
    files.write_text(path, json.dumps(new, indent=2) + '\n')
    return
  try:
    old = records.read(path)
  except files.DamagedFileError as error:
    raise ConfigChangedError(
      f'{error}. Restore it, or use another --name.'
    ) from error
  changes = list(differences(old, new))
  if changes:
    raise ConfigChangedError(
      f'{directory} holds a run with another configuration:\n'
      + '\n'.join(f'  {change}' for change in changes)
      + '\nGive these options their old values to go on with that run, or use '
      'another --name.'
    )


def differences(old: Any, new: Any, where: str = '') -> Iterator[str]:
  """What two configurations do not have in common, a line an option."""
  if isinstance(old, dict) and isinstance(new, dict):
    for key in sorted(old.keys() | new.keys()):
      path = f'{where}.{key}' if where else key
      before = old.get(key, _INTRODUCED.get(path))
      if path == 'task':  # Older ones keep it as the person wrote it.
        before = names.canonical(str(before))
      yield from differences(before, new.get(key), path)
  elif old != new:
    yield f'{where}: {old!r} there, {new!r} here'
