"""Checks of records: what passes, and where what does not is."""

from typing import Any

import pytest

from datasets import schema

POINT = schema.record(
  {'x': schema.number, 'y': schema.optional(schema.count)},
  label=schema.text,
)
LINE = schema.record({'points': schema.each(POINT, list)}, more=True)
NAMED = schema.each(schema.each(schema.flag, list), dict)


@pytest.mark.parametrize(
  ('check', 'tree'),
  [
    (POINT, {'x': 1, 'y': None}),
    (POINT, {'x': -1.5, 'y': 3, 'label': ''}),
    (LINE, {'points': [], 'colour': 7}),
    (LINE, {'points': [{'x': 0, 'y': 0}]}),
    (NAMED, {'a': [True], 'b': []}),
    (schema.figure, float('nan')),
  ],
)
def test_what_passes(check: schema.Check, tree: Any) -> None:
  check(tree, '')


@pytest.mark.parametrize(
  ('check', 'tree', 'message'),
  [
    (POINT, [], '[] is no dict'),
    (POINT, {'x': 1}, 'lacks y'),
    (POINT, {}, 'lacks x, y'),
    (POINT, {'x': 1, 'y': 1, 'z': 1}, "has a member 'z', unknown here"),
    (POINT, {'x': '1', 'y': 1}, "x: '1' is no int or float"),
    (POINT, {'x': True, 'y': 1}, 'x: True is no int or float'),
    (POINT, {'x': float('inf'), 'y': 1}, 'x: inf is not finite'),
    (POINT, {'x': 1, 'y': -1}, 'y: -1 is below 0'),
    (POINT, {'x': 1, 'y': 1.0}, 'y: 1.0 is no int'),
    (POINT, {'x': 1, 'y': 1, 'label': None}, 'label: None is no str'),
    (LINE, {'points': [{'x': 0, 'y': 0}, 3]}, 'points[1]: 3 is no dict'),
    (NAMED, {'a': [True, 1]}, 'a[1]: 1 is no bool'),
  ],
)
def test_what_is_wrong_has_its_place(
  check: schema.Check, tree: Any, message: str
) -> None:
  with pytest.raises(schema.WrongError) as refused:
    check(tree, '')
  assert str(refused.value) == message


@pytest.mark.parametrize('check', [schema.number, schema.figure, schema.count])
def test_integers_without_end_are_refused_in_a_line(
  check: schema.Check,
) -> None:
  with pytest.raises(schema.WrongError, match='is too large') as refused:
    check(10**400, 'x')
  assert len(str(refused.value)) < 200
