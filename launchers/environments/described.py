"""A system that is only described: what its numbers are, and no simulator.

name = 'two-tanks'
episode_steps = 200        # where an episode is cut
discount = 0.99            # optional; what --agent.discount is unless given

[[observations]]           # in this order they are what a policy sees
name = 'level'
size = 2                   # numbers that it takes; 1 unless said
low = 0.0                  # one bound, or one for each; unbounded unless said
high = 1.5
unit = 'm'                 # as `pint` writes it; '1' of a pure number

[[actions]]                # both bounds are needed: a policy's -1 and 1
name = 'pump'
low = 0.0
high = 10.0
unit = 'l/s'

[reward]                   # one of the two
column = 'reward'          # of the logs
function = 'plant:reward'  # rewards [T] of the fields of observations, [T + 1,
                           # ...], and of actions, [T, ...], by name
"""

import math
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pint
import tomli

from datasets import closest
from datasets.schema import (
  Check,
  WrongError,
  count,
  each,
  kind,
  number,
  record,
  shortened,
  text,
)
from datasets.tasks import Bounds, Field, Task
from launchers.environments.base import Description

UNITS: Any = pint.UnitRegistry(cache_folder=None)
"""The one registry of units: quantities of two registries do not mix."""

_LONGEST = 10_000_000  # Steps of an episode, as --episode-steps has it.


class System(NamedTuple):
  """What a file says of a system.

  Attributes:
    task: its name, and the fields of its observations and actions.
    episode_steps: where an episode is cut.
    discount: of the future; None: whatever the agent's is.
    reward_column: of the logs; '' where a function gives the reward.
    reward_function: 'module:function'; '' where a column has it.
  """

  task: Task
  episode_steps: int
  discount: Optional[float] = None
  reward_column: str = ''
  reward_function: str = ''

  @property
  def description(self) -> Description:
    """As of any environment; a system may cut its episodes."""
    return Description(self.task, ends_itself=True, is_seeded=True)

  def differences(self, other: 'System') -> list[str]:
    """What tells it from the one that is expected, for a person."""
    found = self.task.differences(other.task)
    for key in ('episode_steps', 'reward_column', 'reward_function'):
      mine, its = getattr(self, key), getattr(other, key)
      if mine != its:
        found.append(f'{key}: {mine!r}, not {its!r}')
    return found


def load(path: Path) -> System:
  """Reads a description.

  Raises:
    OSError: the file cannot be read.
    ValueError: it is no description; says what, where and what would do.
  """
  try:
    tree = tomli.loads(path.read_text(encoding='utf-8'))
  except FileNotFoundError as error:
    known = sorted(map(str, path.parent.glob('*.toml')))
    hint = closest.hint(str(path), known)
    raise FileNotFoundError(f'{path} does not exist.{hint}') from error
  except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
    raise ValueError(f'{path} is no TOML: {error}') from error
  try:
    return _system(tree)
  except ValueError as error:
    raise ValueError(f'{path} describes no system. {error}') from error


def unit_of(name: str) -> Any:
  """A unit by its name; '' and '1' are of a pure number.

  Raises:
    ValueError: nobody knows it.
  """
  try:
    return UNITS.Unit('' if name == '1' else name)
  except Exception as error:  # pint's parser has a dozen of its own.
    raise ValueError(
      f'{shortened(name)} is no unit that pint knows ({error}); write it as in '
      "'l/min', 'degC', 'rad/s', or '1' of a pure number."
    ) from error


def _bound(tree: Any, where: str) -> None:
  kind(tree, where, int, float, list)
  if isinstance(tree, list):
    each(number, list)(tree, where)
  else:
    number(tree, where)


def _filled(check: Check) -> Check:
  def check_it(tree: Any, where: str) -> None:
    check(tree, where)
    if not tree:
      raise WrongError(where, 'is empty')

  return check_it


_FIELD = record(
  {'name': _filled(text)}, size=count, low=_bound, high=_bound, unit=text
)
_FIELDS = _filled(each(_FIELD, list))
_FILE = record(
  {
    'name': _filled(text), 'episode_steps': count, 'observations': _FIELDS,
    'actions': _FIELDS, 'reward': record({}, column=text, function=text),
  },
  discount=number,
)  # fmt: skip


def _system(tree: Any) -> System:
  try:
    _FILE(tree, '')
  except WrongError as error:
    raise ValueError(
      f'{error}. See python -m pydoc launchers.environments.described.'
    ) from error
  observations = tuple(map(_field, tree['observations']))
  actions = tuple(map(_field, tree['actions']))
  names = [field.name for field in (*observations, *actions)]
  for name in names:
    if names.count(name) > 1:
      raise ValueError(f'Two fields are called {name!r}: give each its name.')
  for field in actions:
    for low, high in field.bounds:
      if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
          f'The action {field.name!r} goes from {low} to {high}: give a low '
          'and a higher high, which a policy never leaves.'
        )
  steps, discount = tree['episode_steps'], tree.get('discount')
  if not 1 <= steps <= _LONGEST:
    raise ValueError(f'episode_steps is {steps}; give 1 to {_LONGEST:,}.')
  if discount is not None and not 0 <= discount < 1:
    raise ValueError(f'discount is {discount}; give at least 0 and below 1.')
  column, function = (
    tree['reward'].get(key, '') for key in ('column', 'function')
  )
  if bool(column) == bool(function):
    raise ValueError('reward needs a column or a function, and not both.')
  wide, narrow = (
    sum(field.size for field in f) for f in (observations, actions)
  )
  task = Task(tree['name'], wide, narrow, observations, actions)
  return System(task, steps, discount, column, function)


def _field(tree: dict[str, Any]) -> Field:
  unit = tree.get('unit', '')
  unit_of(unit)
  size = tree.get('size')
  if size == 0:
    raise ValueError(f'The size of {tree["name"]!r} is 0; give at least 1.')
  return Field(
    tree['name'],
    () if size is None else (size,),
    _bounds(tree.get('low', -math.inf)),
    _bounds(tree.get('high', math.inf)),
    unit,
  )


def _bounds(tree: Any) -> Bounds:
  return tuple(map(float, tree)) if isinstance(tree, list) else float(tree)
