"""What a cell's file must be; it may have come from anywhere."""

import json
from pathlib import Path
import re
from typing import Any, NoReturn

from datasets.schema import (
  Check,
  WrongError,
  anything,
  count,
  each,
  number,
  optional,
  record,
  shortened,
  text,
)
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

OF_LOGS = ('collected_return_max', 'highest_value')
"""What else it keeps of a training from a log."""

_DIGEST = re.compile('[0-9a-f]{64}')


class CellFileError(StudyError):
  """A file is no cell, or not the one that its name says."""

  def __init__(self, path: Path, where: str, reason: str):
    place = f', {where}' if where else ''
    super().__init__(
      f'{path}{place}: {reason}. Restore the file (git checkout), or remove it '
      'and run the cell again.'
    )


def parse(path: Path) -> dict[str, Any]:
  """Reads and checks a cell, all but its digest.

  Raises:
    CellFileError: it is none; names file and place.
  """
  try:
    content = path.read_text(encoding='utf-8')
    tree = json.loads(content, parse_constant=_refuse_constant)
    _check_cell(tree, '')
    if tree['name'] != path.stem:
      raise WrongError('name', f'{tree["name"]!r} is not the name of the file')
    # A training from a log has no cycle 0, and one other.
    first = 1 if 'log' in tree['configuration'] else 0
    cycles = 1 if first else tree['configuration'].get('cycles')
    for key in ('cycles', 'spent'):
      last = first + len(tree[key]) - 1
      if last != cycles:
        raise WrongError(
          key, f'{last} after cycle 0, and the configuration has {cycles!r}'
        )
    numbers = [cycle['cycle'] for cycle in tree['cycles']]
    if numbers != list(range(first, first + len(numbers))):
      raise WrongError('cycles', f'they are numbered {numbers}')
    return tree
  except WrongError as error:
    raise CellFileError(path, error.where, error.reason) from error
  except (ValueError, RecursionError) as error:  # No JSON, or no UTF-8.
    raise CellFileError(path, '', f'no whole JSON: {error}') from error


def _refuse_constant(name: str) -> NoReturn:
  raise ValueError(f'it holds {name}')


def _format(tree: Any, where: str) -> None:
  if tree != FORMAT:
    raise WrongError(
      where, f'{shortened(tree)}; this version of Understudy reads {FORMAT}'
    )


def _hash(tree: Any, where: str) -> None:
  text(tree, where)
  if not _DIGEST.fullmatch(tree):
    raise WrongError(where, f'{shortened(tree)} is no SHA-256')


def _table(tree: Any, where: str) -> None:
  """Groups of columns; those of a group are equally long."""
  each(each(each(optional(number), list), dict), dict)(tree, where)
  for group, columns in tree.items():
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
      raise WrongError(f'{where}.{group}', f'columns differ: {lengths}')


def _evaluations(tree: Any, where: str) -> None:
  _table(tree, where)
  for kind, columns in tree.items():
    for name in ('step', 'return_mean'):
      if name not in columns:
        raise WrongError(f'{where}.{kind}', f'lacks {name}')
      each(number, list)(columns[name], f'{where}.{kind}.{name}')


_SUMMARY_CHECKS: dict[str, Check] = {
  **dict.fromkeys(SUMMARY, number),
  'cycle': count,
  'digest': _hash,
  'policy_digest': _hash,
}
_SECONDS = record({}, cpu_seconds=number, wall_seconds=number)

MEMBERS: dict[str, Check] = {
  'format': _format,
  'name': text,
  'command': text,
  'digest': _hash,
  'configuration': anything,
  'teachers': each(record({'name': text, 'version': text}), dict),
  'teacher_return': record({'mean': number, 'std': number, 'episodes': count}),
  'losses_are_of_every': count,
  'cycles': each(
    record(
      {**_SUMMARY_CHECKS, 'evaluations': _evaluations, 'losses': _table},
      collected_return_max=number,
      highest_value=number,
    ),
    list,
  ),
  # Of each launch. What it tells of packages and machine may grow.
  'provenance': each(
    record({'commit': text, 'cycles': each(count, list)}, more=True), list
  ),
  'cost': _SECONDS,
  'start_cost': _SECONDS,
  'spent': each(
    record({}, refused=count, acted_steps=count, seconds=each(number, dict)),
    list,
  ),
}
_check_cell = record(MEMBERS)
