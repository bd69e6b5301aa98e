"""The shape of a study's file: each value of it is checked before it is used.

`launchers.studies.file` shows a file. The options of runs and methods are
checked by the configurations that they are options of.
"""

from collections.abc import Iterator
import math
from typing import Any

from datasets import bounds, closest
from datasets.schema import shortened
from launchers.studies.config import AXES

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
  _keys(tree, needed, {'extends', 'methods', 'teachers'}, 'a study')
  for name in ('title', 'baseline'):
    _text(tree[name], name)
  _table(tree['run'], 'run')
  for name, method in _table(tree.get('methods', {}), 'methods').items():
    _table(method, f'methods.{name}')
  for task, tiers in _table(tree.get('teachers', {}), 'teachers').items():
    for tier, address in _table(tiers, f'teachers.{task}').items():
      _text(address, f'teachers.{task}.{tier}')
  for where, grid in _list(tree['grid'], 'grid', at_least=1):
    _keys(_table(grid, where), set(AXES), set(), where)
    for axis, values in grid.items():
      for place, value in _list(values, f'{where}.{axis}', at_least=1):
        _on_axis(axis, value, place)
  known: set[str] = set()
  for where, claim in _list(tree['claim'], 'claim'):
    _claim(claim, where)
    if claim['id'] in known:
      raise ValueError(
        f'{where}.id is {shortened(claim["id"])}, as of another claim; give '
        'each its own.'
      )
    known.add(claim['id'])


def _claim(claim: Any, where: str) -> None:
  _keys(_table(claim, where), {'id', 'text', 'test'}, set(), where)
  _text(claim['id'], f'{where}.id')
  name = f'claim {claim["id"]}'
  _text(claim['text'], f'{name}: text')
  for place, test in _list(claim['test'], f'{name}: test', at_least=1):
    _test(_table(test, place), place)


def _test(test: dict[str, Any], where: str) -> None:
  _keys(test, {'measure', 'method'}, {'where', *LIMITS}, where)
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
  cells = _table(test.get('where', {}), f'{where}.where')
  _keys(cells, set(), set(AXES) - {'method'}, f'{where}.where')
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
