"""Which columns of a log hold what, where they are called otherwise.

episode = 'batch'              # tells the episodes of a table apart
policy = 'controller'          # the digest of who acted
reward = 'r'                   # else what the description says
termination = 'failed'         # true where the system itself ended an episode
truncation = 'timeout'         # true where it was merely cut

[fields]                       # of the description; else by their own names
level = ['tank_1', 'tank_2']   # one column a number, or one with all of them
pump = 'valve_command'

[units]                        # of the columns; else those of the description
level = 'mm'
"""

from collections.abc import Mapping
import dataclasses
from pathlib import Path
from typing import Any, Optional

import tomli

from datasets import closest
from datasets.schema import WrongError, each, kind, record, text
from launchers.environments.described import System, unit_of


@dataclasses.dataclass(frozen=True)
class Columns:
  """Where each thing is in a log.

  Attributes:
    episode: the column that tells the episodes of a table apart.
    policy: the column that names who acted.
    reward: the reward's; '': the description's.
    termination: where the system ended an episode; '': under a usual name.
    truncation: where an episode was cut; '': under a usual name.
    fields: of a field's name its columns.
    units: of a field's name the unit that it was logged in.
  """

  episode: str = 'episode'
  policy: str = 'policy'
  reward: str = ''
  termination: str = ''
  truncation: str = ''
  fields: Mapping[str, tuple[str, ...]] = dataclasses.field(
    default_factory=dict
  )
  units: Mapping[str, str] = dataclasses.field(default_factory=dict)


def load(path: Optional[Path], system: System) -> Columns:
  """Reads a map of columns; of None, every field has its own name.

  Raises:
    OSError: the file cannot be read.
    ValueError: it is no such map, or names a field that there is not.
  """
  if path is None:
    return Columns()
  try:
    tree = tomli.loads(path.read_text(encoding='utf-8'))
    _FILE(tree, '')
    _check_fields(tree, system)
  except (tomli.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
    raise ValueError(f'{path} is no map of columns: {error}') from error
  fields = {
    name: (columns,) if isinstance(columns, str) else tuple(columns)
    for name, columns in tree.pop('fields', {}).items()
  }
  return Columns(**{**tree, 'fields': fields})


def _names(tree: Any, where: str) -> None:
  kind(tree, where, str, list)
  if isinstance(tree, list):
    each(text, list)(tree, where)
    if not tree:
      raise WrongError(where, 'is empty')


_FILE = record(
  {}, episode=text, policy=text, reward=text, termination=text,
  truncation=text, fields=each(_names, dict), units=each(text, dict),
)  # fmt: skip


def _check_fields(tree: Mapping[str, Any], system: System) -> None:
  known = {field.name: field for field in system.task.fields}
  for table in ('fields', 'units'):
    for name in tree.get(table, {}):
      if name not in known:
        hint = closest.among(name, known)
        raise WrongError(
          table, f'{system.task.name} has no field {name!r}.{hint}'
        )
  for name, unit in tree.get('units', {}).items():
    wanted = known[name].unit
    if not unit_of(unit).is_compatible_with(unit_of(wanted)):
      raise WrongError(
        f'units.{name}',
        f'{unit!r} cannot become {wanted!r}, the unit that the description has',
      )
