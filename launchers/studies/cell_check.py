"""What a cell's file must be; it may have come from anywhere."""

from collections.abc import Callable, Mapping
import json
import math
from pathlib import Path
import re
from typing import Any, NoReturn

from launchers.studies.config import StudyError

FORMAT = 1

MAX_EVALUATIONS = 3_500
"""In a cell: some 35 bytes each at most, none of which is ever left out."""

SUMMARY = (
  'cycle', 'episodes', 'steps', 'digest', 'collected_return_mean',
  'collected_return_std', 'evaluation_return_mean', 'evaluation_return_std',
  'evaluation_episodes', 'learner_steps', 'policy_digest',
)  # fmt: skip
"""What a cell keeps of cycle.json: all that a rerun gives again."""

_DIGEST = re.compile('[0-9a-f]{64}')


class CellFileError(StudyError):
  """A file is no cell, or not the one that its name says."""

  def __init__(self, path: Path, where: str, reason: str):
    place = f', {where}' if where else ''
    super().__init__(
      f'{path}{place}: {reason}. Restore the file (git checkout), or remove it '
      'and run the cell again.'
    )


class _WrongError(ValueError):
  """A place of the tree, and what is wrong there."""

  def __init__(self, where: str, reason: str):
    super().__init__(where, reason)
    self.where = where
    self.reason = reason


_Check = Callable[[Any, str], None]


def parse(path: Path) -> dict[str, Any]:
  """Reads and checks a cell, all but its digest.

  Raises:
    CellFileError: it is none; names file and place.
  """
  try:
    text = path.read_text(encoding='utf-8')
    tree = json.loads(text, parse_constant=_refuse_constant)
    _check_cell(tree, '')
    if tree['name'] != path.stem:
      raise _WrongError('name', f'{tree["name"]!r} is not the name of the file')
    cycles = tree['configuration'].get('cycles')
    for key in ('cycles', 'spent'):
      if len(tree[key]) - 1 != cycles:
        raise _WrongError(
          key, f'{len(tree[key]) - 1} after cycle 0, and the configuration '
          f'has {cycles!r}',
        )  # fmt: skip
    numbers = [cycle['cycle'] for cycle in tree['cycles']]
    if numbers != list(range(len(numbers))):
      raise _WrongError('cycles', f'they are numbered {numbers}')
    return tree
  except _WrongError as error:
    raise CellFileError(path, error.where, error.reason) from error
  except (ValueError, RecursionError) as error:  # No JSON, or no UTF-8.
    raise CellFileError(path, '', f'no whole JSON: {error}') from error


def _refuse_constant(name: str) -> NoReturn:
  raise ValueError(f'it holds {name}')


def _record(needed: Mapping[str, _Check], **optional: _Check) -> _Check:
  """A check of an object with these members and no others."""

  def check(tree: Any, where: str) -> None:
    _object(tree, where)
    missing = sorted(needed.keys() - tree.keys())
    unknown = sorted(tree.keys() - needed.keys() - optional.keys())
    if missing or unknown:
      raise _WrongError(where, f'lacks {missing} and has unknown {unknown}')
    for key, value in tree.items():
      of_member = needed[key] if key in needed else optional[key]
      of_member(value, f'{where}.{key}' if where else key)

  return check


def _each(check: _Check, of: type) -> _Check:
  """A check of all members of an object, or of a list."""

  def check_all(tree: Any, where: str) -> None:
    _kind(tree, where, of)
    pairs = tree.items() if of is dict else enumerate(tree)
    for key, value in pairs:
      check(value, f'{where}.{key}' if of is dict else f'{where}[{key}]')

  return check_all


def _kind(tree: Any, where: str, *kinds: type) -> None:
  if not isinstance(tree, kinds) or (
    isinstance(tree, bool) and bool not in kinds
  ):
    wanted = ' or '.join(kind.__name__ for kind in kinds)
    raise _WrongError(where, f'{repr(tree)[:80]} is no {wanted}')


def _object(tree: Any, where: str) -> None:
  _kind(tree, where, dict)


def _text(tree: Any, where: str) -> None:
  _kind(tree, where, str)


def _number(tree: Any, where: str) -> None:
  _kind(tree, where, int, float)
  if not math.isfinite(tree):
    raise _WrongError(where, f'{tree} is not finite')


def _optional_number(tree: Any, where: str) -> None:
  if tree is not None:
    _number(tree, where)


def _count(tree: Any, where: str) -> None:
  _kind(tree, where, int)
  if tree < 0:
    raise _WrongError(where, f'{tree} is below 0')


def _format(tree: Any, where: str) -> None:
  if tree != FORMAT:
    raise _WrongError(
      where, f'{tree!r}; this version of Understudy reads {FORMAT}'
    )


def _hash(tree: Any, where: str) -> None:
  _text(tree, where)
  if not _DIGEST.fullmatch(tree):
    raise _WrongError(where, f'{tree[:80]!r} is no SHA-256')


def _table(tree: Any, where: str) -> None:
  """Groups of columns; those of a group are equally long."""
  _each(_each(_each(_optional_number, list), dict), dict)(tree, where)
  for group, columns in tree.items():
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
      raise _WrongError(f'{where}.{group}', f'columns differ: {lengths}')


def _evaluations(tree: Any, where: str) -> None:
  _table(tree, where)
  for kind, columns in tree.items():
    for name in ('step', 'return_mean'):
      if name not in columns:
        raise _WrongError(f'{where}.{kind}', f'lacks {name}')
      _each(_number, list)(columns[name], f'{where}.{kind}.{name}')


def _origin(tree: Any, where: str) -> None:
  """Of one launch. What it tells of packages and machine may grow."""
  _object(tree, where)
  for name, check in (('commit', _text), ('cycles', _each(_count, list))):
    if name not in tree:
      raise _WrongError(where, f'lacks {name}')
    check(tree[name], f'{where}.{name}')


_SUMMARY_CHECKS: dict[str, _Check] = {
  **dict.fromkeys(SUMMARY, _number),
  'cycle': _count,
  'digest': _hash,
  'policy_digest': _hash,
}
_SECONDS = _record({}, cpu_seconds=_number, wall_seconds=_number)

MEMBERS: dict[str, _Check] = {
  'format': _format,
  'name': _text,
  'command': _text,
  'digest': _hash,
  'configuration': _object,
  'teachers': _each(_record({'name': _text, 'version': _text}), dict),
  'teacher_return': _record(
    {'mean': _number, 'std': _number, 'episodes': _count}
  ),
  'losses_are_of_every': _count,
  'cycles': _each(
    _record({**_SUMMARY_CHECKS, 'evaluations': _evaluations, 'losses': _table}),
    list,
  ),
  'provenance': _each(_origin, list),
  'cost': _SECONDS,
  'start_cost': _SECONDS,
  'spent': _each(
    _record(
      {}, refused=_count, acted_steps=_count, seconds=_each(_number, dict)
    ),
    list,
  ),
}
_check_cell = _record(MEMBERS)
