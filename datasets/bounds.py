"""The bounds of options, in one place: each field of a configuration has one.

@dataclasses.dataclass(frozen=True)
class Config:
steps: int = 100
rate: float = 1e-3

def __post_init__(self) -> None:
bounds.check(self, steps=(1, None), rate=(bounds.ABOVE_0, None))
"""

import dataclasses
import math
import numbers
from pathlib import Path
import types
from typing import Any, Literal, Optional, Union, get_args, get_origin

from datasets.schema import shortened

Bound = tuple[float, Optional[float]]
"""The least and the greatest value, both allowed; None: the greatest of all."""

ABOVE_0 = math.ulp(0.0)
"""As a least value: anything above 0."""
POSITIVE: Bound = (ABOVE_0, 1e9)
SEED: Bound = (0, 2**63 - 1)
PORT: Bound = (0, 65_535)
WIDTH: Bound = (1, 65_536)  # Of a layer.

_MOST = 10**12  # What nobody waits for, and a float32 still holds.


def check(config: Any, **bounds: Bound) -> None:
  """Refuses what is not of its field's type, or beyond its bound.

  Args:
    config: a dataclass; a nested one checks itself.
    **bounds: of every field that holds a number, or a tuple of numbers.

  Raises:
    ValueError: names the field, the value and the bound.
    TypeError: a field that holds numbers was given no bound.
  """
  for field in dataclasses.fields(config):
    value, kinds = getattr(config, field.name), _kinds(field.type)
    if value is None and types.NoneType in kinds:
      continue
    number = next((k for k in (int, float) if k in kinds), None)
    if number is not None:
      if field.name not in bounds:
        raise TypeError(f'{field.name} of {type(config).__name__}: no bound.')
      _check_number(field.name, value, number, bounds[field.name])
    elif get_origin(field.type) is Literal:
      if value not in get_args(field.type):
        raise ValueError(
          f'{field.name} is {shortened(value)}; choose one of '
          f'{get_args(field.type)}.'
        )
    elif get_origin(field.type) is tuple:
      _check_tuple(field.name, value, field.type, bounds)
    else:
      _check_kind(field.name, value, kinds)


def _kinds(annotation: Any) -> tuple[Any, ...]:
  is_union = get_origin(annotation) in (Union, types.UnionType)
  return get_args(annotation) if is_union else (annotation,)


def _check_number(name: str, value: Any, kind: type, bound: Bound) -> None:
  wanted: Any = numbers.Integral if kind is int else numbers.Real
  if isinstance(value, bool) or not isinstance(value, wanted):
    what = 'a whole number' if kind is int else 'a number'
    raise ValueError(f'{name} is {shortened(value)}; it must be {what}.')
  least, most = bound[0], _MOST if bound[1] is None else bound[1]
  if not value >= least or (kind is float and math.isinf(value)):
    at_least = 'above 0' if least == ABOVE_0 else f'at least {least}'
    finite = ' and finite' if kind is float else ''
    raise ValueError(
      f'{name} is {shortened(value)}; it must be {at_least}{finite}.'
    )
  if value > most:
    raise ValueError(
      f'{name} is {shortened(value)}; it must be at most {most}.'
    )


def _check_tuple(
  name: str, value: Any, annotation: Any, bounds: dict[str, Bound]
) -> None:
  if not isinstance(value, tuple):
    raise ValueError(f'{name} is {shortened(value)}; give a list.')
  kind = get_args(annotation)[0]
  place = f'{name} is {shortened(value)}: one'
  for element in value:
    if kind in (int, float):
      _check_number(place, element, kind, bounds[name])
    else:
      _check_kind(place, element, (kind,))


def _check_kind(name: str, value: Any, kinds: tuple[Any, ...]) -> None:
  plain = tuple(k for k in kinds if k in (str, bool, Path))
  if plain and not isinstance(value, plain):
    what = ' or '.join(kind.__name__ for kind in plain)
    raise ValueError(f'{name} is {shortened(value)}; it must be a {what}.')
  if isinstance(value, str):
    check_text(name, value)


def check_text(name: str, text: str) -> None:
  """Refuses what can be written to no file and no terminal.

  Raises:
    ValueError: names the field.
  """
  try:
    text.encode('utf-8')
  except UnicodeEncodeError as error:
    raise ValueError(f'{name} is {ascii(text)[:100]}, no text.') from error
  if '\0' in text:
    raise ValueError(f'{name} is {shortened(text)}; it holds a null character.')
