"""What the members of a record must be: checks, and checks made of them.

point = record({'x': number, 'y': number}, label=text)
point({'x': 1, 'y': None}, '')  # WrongError: y: None is no int or float.
"""

from collections.abc import Callable, Mapping
import math
from typing import Any

Check = Callable[[Any, str], None]
"""Takes a value of JSON's kinds and its place, as 'cycles[1].digest'; raises
`WrongError`."""


class WrongError(ValueError):
  """A value is not what it must be.

  Attributes:
    where: its place; '' is the whole.
    reason: what is wrong there.
  """

  def __init__(self, where: str, reason: str):
    super().__init__(f'{where}: {reason}' if where else reason)
    self.where = where
    self.reason = reason


def record(
  needed: Mapping[str, Check], /, *, more: bool = False, **optional: Check
) -> Check:
  """A check of an object with these members, and no others unless `more`."""

  def check(tree: Any, where: str) -> None:
    anything(tree, where)
    missing = sorted(needed.keys() - tree.keys())
    if missing:
      raise WrongError(where, f'lacks {", ".join(missing)}')
    for key, value in tree.items():
      of_member = needed.get(key) or optional.get(key)
      if of_member:
        of_member(value, _member(where, key))
      elif not more:
        raise WrongError(where, f'has a member {shortened(key)}, unknown here')

  return check


def each(check: Check, of: type) -> Check:
  """A check of all members of an object (dict), or of a list."""

  def check_all(tree: Any, where: str) -> None:
    kind(tree, where, of)
    pairs: Any = tree.items() if of is dict else enumerate(tree)
    for key, value in pairs:
      check(value, _member(where, key) if of is dict else f'{where}[{key}]')

  return check_all


def _member(where: str, key: str) -> str:
  return f'{where}.{key}' if where else key


def optional(check: Check) -> Check:
  """A check that lets null pass."""

  def check_it(tree: Any, where: str) -> None:
    if tree is not None:
      check(tree, where)

  return check_it


def kind(tree: Any, where: str, *kinds: type) -> None:
  """Refuses what is of none of these Python types; a bool is no int."""
  if not isinstance(tree, kinds) or (
    isinstance(tree, bool) and bool not in kinds
  ):
    wanted = ' or '.join(kind.__name__ for kind in kinds)
    raise WrongError(where, f'{shortened(tree)} is no {wanted}')


def anything(tree: Any, where: str) -> None:
  """An object, of whatever members."""
  kind(tree, where, dict)


def text(tree: Any, where: str) -> None:
  """A string."""
  kind(tree, where, str)


def flag(tree: Any, where: str) -> None:
  """True or false."""
  kind(tree, where, bool)


def figure(tree: Any, where: str) -> None:
  """A number that a float can hold; NaN and infinity are."""
  kind(tree, where, int, float)
  try:
    float(tree)
  except OverflowError as error:  # JSON's integers have no end.
    raise WrongError(where, f'{shortened(tree)} is too large') from error


def number(tree: Any, where: str) -> None:
  """A finite number."""
  figure(tree, where)
  if not math.isfinite(tree):
    raise WrongError(where, f'{tree} is not finite')


def count(tree: Any, where: str) -> None:
  """An integer of at least 0."""
  kind(tree, where, int)
  number(tree, where)
  if tree < 0:
    raise WrongError(where, f'{tree} is below 0')


def shortened(value: object, most: int = 100) -> str:
  """A value for an error message: one line, not endless."""
  text = ascii(value) if isinstance(value, bytes) else repr(value)
  return text if len(text) <= most else f'{text[:most]}…'
