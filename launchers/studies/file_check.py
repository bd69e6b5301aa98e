"""The shape of a study's file: each value of it is checked before it is used.

`launchers.studies.file` shows a file. The options of runs and methods are
checked by the configurations that they are options of.
"""

from collections.abc import Iterator
import math
import re
from typing import Any

from datasets import bounds, closest
from datasets.schema import shortened
from launchers.studies.config import AXES, LOG_AXES

_OF_LOGS, _OF_RUNS = {'agent', 'logs'}, {'teachers'}  # Tables of a file.
LIMITS = ('above', 'below', 'above_method', 'below_method')
_WHOLE: dict[str, bounds.Bound] = {
  'seed': bounds.SEED,
  'cycles': (1, 1_000_000),
}
"""The axes of numbers, which those of texts are not among."""


def check(tree: dict[str, Any]) -> None:
  """Refuses what is no study.

  Raises:
    ValueError: names the place, its value, and what would do.
  """
  needed = {'title', 'baseline', 'run', 'grid', 'claim'}
  of_either = {'extends', 'methods'}
  # Which of the two it is, a name that is misspelt does not say.
  _keys(tree, needed, {*of_either, *_OF_LOGS, *_OF_RUNS}, 'a study')
  is_of_logs = 'logs' in tree
  own = _OF_LOGS if is_of_logs else _OF_RUNS
  what = f'a study of {"logs" if is_of_logs else "runs"}'
  _keys(tree, needed, of_either | own, what)
  for name in ('title', 'baseline'):
    _text(tree[name], name)
  _table(tree['run'], 'run')
  _table(tree.get('agent', {}), 'agent')
  for name, method in _table(tree.get('methods', {}), 'methods').items():
    _table(method, f'methods.{name}')
  for name, log in _table(tree.get('logs', {}), 'logs').items():
    _log(_table(log, f'logs.{name}'), name)
  for task, tiers in _table(tree.get('teachers', {}), 'teachers').items():
    for tier, address in _table(tiers, f'teachers.{task}').items():
      _text(address, f'teachers.{task}.{tier}')
  axes = LOG_AXES if is_of_logs else AXES
  for where, grid in _list(tree['grid'], 'grid', at_least=1):
    _keys(_table(grid, where), set(axes), set(), where)
    for axis, values in grid.items():
      for place, value in _list(values, f'{where}.{axis}', at_least=1):
        _on_axis(axis, value, place)
  known: set[str] = set()
  for where, claim in _list(tree['claim'], 'claim'):
    _claim(claim, where, axes)
    if claim['id'] in known:
      raise ValueError(
        f'{where}.id is {shortened(claim["id"])}, as of another claim; give '
        'each its own.'
      )
    known.add(claim['id'])


def _log(log: dict[str, Any], name: str) -> None:
  """How a log comes to be: it is made, or is there."""
  where = f'logs.{name}'
  if not re.fullmatch('[A-Za-z0-9_]{1,20}', name):
    raise ValueError(
      f'{where}: the name becomes part of names of files; give 1 to 20 '
      'letters, digits and _.'
    )
  _keys(log, set(), {'make', 'data', 'first_episodes'}, where)
  if ('make' in log) == ('data' in log):
    raise ValueError(
      f"{where} is {shortened(log)}; give it either make = 'module:function' "
      'or data = [DIRECTORY, …].'
    )
  if 'make' in log:
    _text(log['make'], f'{where}.make')
  for place, directory in _list(log.get('data', []), f'{where}.data'):
    _text(directory, place)
  most = log.get('first_episodes', 1)
  if type(most) is not int or most < 1:
    raise ValueError(
      f'{where}.first_episodes is {shortened(most)}; give a whole number of at '
      'least 1.'
    )


def _claim(claim: Any, where: str, axes: tuple[str, ...]) -> None:
  _keys(_table(claim, where), {'id', 'text', 'test'}, set(), where)
  _text(claim['id'], f'{where}.id')
  name = f'claim {claim["id"]}'
  _text(claim['text'], f'{name}: text')
  for place, test in _list(claim['test'], f'{name}: test', at_least=1):
    _test(_table(test, place), place, axes)


def _test(test: dict[str, Any], where: str, axes: tuple[str, ...]) -> None:
  _keys(test, {'measure', 'method'}, {'where', 'times', *LIMITS}, where)
  given = [key for key in LIMITS if key in test]
  if len(given) != 1:
    raise ValueError(f'{where} has {given}; give it exactly one of {LIMITS}.')
  for name in ('measure', 'method'):
    _text(test[name], f'{where}.{name}')
  (limit,) = given
  if limit.endswith('_method'):
    _text(test[limit], f'{where}.{limit}')
  else:
    _finite(test[limit], f'{where}.{limit}')
  if 'times' in test:
    _finite(test['times'], f'{where}.times')
    if not limit.endswith('_method'):
      raise ValueError(
        f'{where}.times is of the measure of another method, and {limit} is a '
        'number; multiply that.'
      )
  cells = _table(test.get('where', {}), f'{where}.where')
  _keys(cells, set(), set(axes) - {'method'}, f'{where}.where')
  for axis, value in cells.items():
    _on_axis(axis, value, f'{where}.where.{axis}')


def _on_axis(axis: str, value: Any, where: str) -> None:
  if axis not in _WHOLE:
    _text(value, where)
    return
  least, most = _WHOLE[axis]
  if type(value) is not int or not least <= value <= (most or math.inf):
    raise ValueError(
      f'{where} is {shortened(value)}; give a whole number from {least} to '
      f'{most}.'
    )


def _finite(value: Any, where: str) -> None:
  if type(value) not in (int, float) or not math.isfinite(value):
    raise ValueError(f'{where} is {shortened(value)}; give a finite number.')


def _text(value: Any, where: str) -> None:
  if not isinstance(value, str) or not value.strip() or '\n' in value:
    raise ValueError(f'{where} is {shortened(value)}; give a line of text.')
  bounds.check_text(where, value)


def _table(value: Any, where: str) -> dict[str, Any]:
  if not isinstance(value, dict):
    raise ValueError(f'{where} is {shortened(value)}; give a table.')
  return value


def _list(
  value: Any, where: str, at_least: int = 0
) -> Iterator[tuple[str, Any]]:
  """The elements, each with its place."""
  if not isinstance(value, list) or len(value) < at_least:
    of = f' with at least {at_least}' if at_least else ''
    raise ValueError(f'{where} is {shortened(value)}; give a list{of}.')
  for index, element in enumerate(value):
    yield f'{where}[{index}]', element


def _keys(
  tree: dict[str, Any], needed: set[str], optional: set[str], what: str
) -> None:
  missing = needed - tree.keys()
  unknown = tree.keys() - needed - optional
  wrong = [
    *(f'lacks {name}' for name in sorted(missing)),
    *(f'has an unknown {shortened(name)}' for name in sorted(unknown)),
  ]
  if wrong:
    known = sorted(needed | optional)
    hints = [closest.hint(name, known) for name in sorted(unknown)]
    raise ValueError(
      f'{what} {", ".join(wrong)}; it takes {", ".join(known)}.{"".join(hints)}'
    )
