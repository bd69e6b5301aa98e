"""What a policy acts in: a task's name, and what its numbers mean."""

from collections.abc import Iterator, Sequence
import dataclasses
import itertools
import math
from typing import Any, NamedTuple, Optional, Union

from datasets.schema import shortened

Bounds = Union[float, tuple[float, ...]]

MAX_AXES = 32
"""Of a field, as many as NumPy has."""
_LONGEST = 1_000  # Of names and units: whoever refuses a task shows them.
_TOLERANCE = 1e-6  # Of bounds that went through a float32 on their way.


class EnvironmentSpec(NamedTuple):
  """The sizes of a task whose actions are canonical, in [-1, 1]^A.

  Attributes:
    observation_size: S, the width of the flattened observation.
    action_size: A, the width of an action.
  """

  observation_size: int
  action_size: int


class Field(NamedTuple):
  """A named part of an observation or of an action, flattened in C order.

  Attributes:
    name: nested names are joined by '/'.
    shape: as the environment gives it; () is a single number.
    low: the least value, one for all entries or one for each; -inf where it is
      not bounded, or nobody says.
    high: the greatest value, likewise.
    unit: for instance 'rad/s'; '1' of pure numbers, '' where it is unknown or
      not the same for all entries.
  """

  name: str
  shape: tuple[int, ...] = ()
  low: Bounds = -math.inf
  high: Bounds = math.inf
  unit: str = ''

  @property
  def size(self) -> int:
    """Numbers that it takes."""
    return math.prod(self.shape)

  @property
  def bounds(self) -> Iterator[tuple[float, float]]:
    """The low and the high of each entry."""
    low, high = (
      bound if isinstance(bound, tuple) else itertools.repeat(bound, self.size)
      for bound in (self.low, self.high)
    )
    return zip(low, high, strict=True)


@dataclasses.dataclass(frozen=True)
class Task:
  """The identity of a task, which `differences` compares.

  A policy of one task means nothing in another of equal widths. So episodes,
  teachers and policies carry this.

  Attributes:
    name: as after --task, for instance 'cartpole-swingup'; '' if unknown.
    observation_size: S, the width of the flattened observation.
    action_size: A, the width of an action.
    observations: the fields of an observation, in order; () if unknown.
    actions: the fields of an action with the bounds that [-1, 1] stands for,
      in order; () if unknown.
  """

  name: str
  observation_size: int
  action_size: int
  observations: tuple[Field, ...] = ()
  actions: tuple[Field, ...] = ()

  def __post_init__(self) -> None:
    """Refuses fields that do not fill the widths, or bounds that are none."""
    _check_length('task', self.name)
    for what, fields, size in (
      ('observations', self.observations, self.observation_size),
      ('actions', self.actions, self.action_size),
    ):
      for field in fields:
        _check_field(field)
      total = sum(field.size for field in fields)
      if fields and total != size:
        raise ValueError(
          f'The {what} of task {self.name!r} have fields of {total} numbers '
          f'together, but its width is {size}.'
        )

  @property
  def spec(self) -> EnvironmentSpec:
    """Its sizes."""
    return EnvironmentSpec(self.observation_size, self.action_size)

  @property
  def fields(self) -> tuple[Field, ...]:
    """Those of an observation, then those of an action; () if unknown."""
    return self.observations + self.actions

  def differences(self, other: 'Task') -> list[str]:
    """What tells the two apart, for a person.

    What either does not know (a name, the fields, a unit, a bound) is not
    compared: it may be written by a version that does not know it yet, or by
    someone's service that does not say. Nor is a shape, since all is flat.

    Args:
      other: the task that is expected.

    Returns:
      'name: A, not B' and the like; nothing where they are the same task.
    """
    found = [
      f'{key}: {getattr(self, key)}, not {getattr(other, key)}'
      for key in ('name', 'observation_size', 'action_size')
      if getattr(self, key) != getattr(other, key)
      and (key != 'name' or (self.name and other.name))
    ]
    for key in ('observations', 'actions'):
      mine, its = getattr(self, key), getattr(other, key)
      # The first one says it all: what follows it is shifted.
      if not found and mine and its and mine != its:
        differences = (
          f'{key}: {text}'
          for pair in itertools.zip_longest(mine, its)
          if (text := _difference(*pair))
        )
        found += itertools.islice(differences, 1)
    return found

  def to_json(self) -> dict[str, Any]:
    """The task as plain data; `from_json` reads it."""
    return {
      'name': self.name,
      'observation_size': self.observation_size,
      'action_size': self.action_size,
      'observations': [_field_to_json(field) for field in self.observations],
      'actions': [_field_to_json(field) for field in self.actions],
    }

  @classmethod
  def from_json(cls, tree: Any) -> 'Task':
    """Reads what `to_json` wrote.

    Raises:
      ValueError: it is something else.
    """
    try:
      return cls(
        name=_checked(tree['name'], str),
        observation_size=_checked(tree['observation_size'], int),
        action_size=_checked(tree['action_size'], int),
        observations=tuple(map(_field_from_json, tree['observations'])),
        actions=tuple(map(_field_from_json, tree['actions'])),
      )
    except (KeyError, TypeError, OverflowError) as error:
      raise ValueError(f'{str(tree)[:200]} is no task: {error!r}') from error


def offsets(fields: Sequence[Field]) -> list[int]:
  """Where each field begins in the flattened vector."""
  sizes = [field.size for field in fields]
  return [0, *itertools.accumulate(sizes)][: len(sizes)]


def _check_length(what: str, text: str) -> None:
  if len(text) > _LONGEST:
    raise ValueError(
      f'The name or unit {shortened(text)} of a {what} has {len(text)} '
      f'characters; give at most {_LONGEST}.'
    )


def _check_field(field: Field) -> None:
  _check_length('field', field.name)
  _check_length('field', field.unit)
  if len(field.shape) > MAX_AXES or min(field.shape, default=0) < 0:
    raise ValueError(
      f'The field {field.name!r} has shape {field.shape}; give at most '
      f'{MAX_AXES} axes, none negative.'
    )
  for bounds in (field.low, field.high):
    if isinstance(bounds, tuple) and len(bounds) != field.size:
      raise ValueError(
        f'The field {field.name!r} has {len(bounds)} bounds; give one, or '
        f'{field.size}: one for each of its numbers.'
      )
  for low, high in field.bounds:
    if not (low <= high and low < math.inf and high > -math.inf):
      raise ValueError(
        f'The field {field.name!r} has bounds from {low} to {high}; the low '
        'must not be above the high, and neither may be NaN.'
      )


def _difference(mine: Optional[Field], its: Optional[Field]) -> str:
  """What tells two fields apart, where both are known; '' if nothing does."""
  if mine is None or its is None or mine.name != its.name:
    names = [repr(field.name) if field else 'nothing' for field in (mine, its)]
    return f'{names[0]}, not {names[1]}'
  if mine.size != its.size:
    return f'{mine.name!r} has {mine.size} numbers, not {its.size}'
  if mine.unit and its.unit and mine.unit != its.unit:
    return f'{mine.name!r} is in {mine.unit}, not {its.unit}'
  for i, (one, other) in enumerate(zip(mine.bounds, its.bounds, strict=True)):
    for what, a, b in zip(('low', 'high'), one, other, strict=True):
      known = math.isfinite(a) and math.isfinite(b)
      if known and not math.isclose(a, b, rel_tol=_TOLERANCE):
        return f'the {what} of {mine.name!r}[{i}] is {a}, not {b}'
  return ''


def _field_to_json(field: Field) -> dict[str, Any]:
  """Infinite bounds become None, for JSON has no infinity."""
  return {
    'name': field.name,
    'shape': list(field.shape),
    'low': _bounds_to_json(field.low),
    'high': _bounds_to_json(field.high),
    'unit': field.unit,
  }


def _field_from_json(tree: Any) -> Field:
  return Field(
    name=_checked(tree['name'], str),
    shape=tuple(_checked(size, int) for size in tree['shape']),
    low=_bounds_from_json(tree['low'], -math.inf),
    high=_bounds_from_json(tree['high'], math.inf),
    unit=_checked(tree['unit'], str),
  )


def _bounds_to_json(bounds: Bounds) -> Any:
  if isinstance(bounds, tuple):
    return [_bounds_to_json(bound) for bound in bounds]
  return float(bounds) if math.isfinite(bounds) else None


def _bounds_from_json(value: Any, infinity: float) -> Bounds:
  if isinstance(value, list):
    return tuple(_bound_from_json(bound, infinity) for bound in value)
  return _bound_from_json(value, infinity)


def _bound_from_json(value: Any, infinity: float) -> float:
  if value is None:
    return infinity
  if type(value) not in (int, float):
    raise TypeError(f'{shortened(value)} is no bound')
  return float(value)


def _checked(value: Any, kind: type) -> Any:
  if type(value) is not kind:
    raise TypeError(f'{shortened(value)} is no {kind.__name__}')
  return value
