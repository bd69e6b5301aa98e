"""What a policy acts in: a task's name, and what its numbers mean."""

import dataclasses
import math
from typing import Any, NamedTuple, Optional, Union

from datasets.types import EnvironmentSpec

Bounds = Union[float, tuple[float, ...]]


class Field(NamedTuple):
  """A named part of an observation or of an action, flattened in C order.

  Attributes:
    name: nested names are joined by '/'.
    shape: as the environment gives it; () is a single number.
    low: the least value, one for all entries or one for each; -inf where it is
      not bounded, or nobody says.
    high: the greatest value, likewise.
    unit: for a person, for instance 'rad/s'; '' where it is unknown.
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


@dataclasses.dataclass(frozen=True)
class Task:
  """The identity of a task: two tasks are the same where all of it is.

  A policy of one task means nothing in another of equal widths. So episodes,
  teachers and policies carry this.

  Attributes:
    name: as after --task, for instance 'cartpole-swingup'.
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
    """Refuses fields that do not fill the widths."""
    for what, fields, size in (
      ('observations', self.observations, self.observation_size),
      ('actions', self.actions, self.action_size),
    ):
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

  def differences(self, other: 'Task') -> list[str]:
    """What tells the two apart, for a person; fields count where both know.

    Args:
      other: the task that is expected.

    Returns:
      'name: A, not B' and the like; nothing where they are the same task.
    """
    found = [
      f'{key}: {getattr(self, key)}, not {getattr(other, key)}'
      for key in ('name', 'observation_size', 'action_size')
      if getattr(self, key) != getattr(other, key)
    ]
    for key in ('observations', 'actions'):
      mine, its = getattr(self, key), getattr(other, key)
      if not found and mine and its and mine != its:
        pairs = zip(mine, its, strict=False)
        first = next((p for p in pairs if p[0] != p[1]), (mine[-1], its[-1]))
        found.append(f'{key}: {first[0]}, not {first[1]}')
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
    except (KeyError, TypeError) as error:
      raise ValueError(f'{str(tree)[:200]} is no task: {error!r}') from error


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


def _bounds_from_json(value: Optional[Any], infinity: float) -> Bounds:
  if isinstance(value, list):
    # Of numbers alone, so this goes no deeper.
    return tuple(float(infinity if v is None else v) for v in value)
  return float(infinity if value is None else value)


def _checked(value: Any, kind: type) -> Any:
  if type(value) is not kind:
    raise TypeError(f'{value!r} is no {kind.__name__}')
  return value
