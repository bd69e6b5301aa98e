"""The identity of a task: kept by JSON, and told apart where it is another."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st
import pytest

from datasets.tasks import Field, Task, offsets

INF = math.inf


@st.composite
def fields(draw) -> Field:
  shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
  size = math.prod(shape)
  finite = st.floats(-1e30, 1e30)
  pair = st.tuples(
    finite | st.just(-INF), finite | st.just(INF)
  ).filter(lambda bounds: bounds[0] <= bounds[1])  # fmt: skip
  low, high = draw(pair)
  if draw(st.booleans()):
    pairs = draw(st.lists(pair, min_size=size, max_size=size))
    low, high = (tuple(b[i] for b in pairs) for i in (0, 1))
  text = st.text(st.characters(exclude_categories=['Cs']), max_size=9)
  return Field(draw(text), shape, low, high, draw(text))


@st.composite
def tasks(draw) -> Task:
  name = draw(st.text(st.characters(exclude_categories=['Cs']), max_size=9))
  both = [tuple(draw(st.lists(fields(), max_size=4))) for _ in range(2)]
  sizes = [
    sum(f.size for f in some) if some else draw(st.integers(1, 9))
    for some in both
  ]
  return Task(name, *sizes, *both)


@given(tasks())
def test_json_keeps_all_of_it(task) -> None:
  text = json.dumps(task.to_json(), allow_nan=False)
  read = Task.from_json(json.loads(text))
  assert read == task
  assert hash(read) == hash(task)
  assert not read.differences(task)


def test_a_name_and_two_sizes_are_enough() -> None:
  task = Task('made-up', 3, 2)
  assert task == Task(name='made-up', observation_size=3, action_size=2)
  assert tuple(task.spec) == (3, 2)


def test_fields_begin_where_the_last_one_ends() -> None:
  some = [Field('a', (2, 3)), Field('b'), Field('c', (0,)), Field('d', (4,))]
  assert offsets(some) == [0, 6, 7, 7]
  assert offsets([]) == []


TASK = Task(
  'lab-heat',
  3,
  2,
  (Field('temperature', (2,), -40.0, 120.0, 'C'), Field('valve', (), 0, 1)),
  (Field('heat', (2,), (0.0, 0.0), (5.0, 9.0), 'kW'),),
)


def changed(index: int, **values) -> tuple[Field, ...]:
  some = list(TASK.observations)
  some[index] = some[index]._replace(**values)
  return tuple(some)


@pytest.mark.parametrize(
  ('change', 'says'),
  [
    ({'name': 'lab-cold'}, 'name: lab-cold, not lab-heat'),
    (
      {'observation_size': 4, 'observations': ()},
      'observation_size: 4, not 3',
    ),
    ({'action_size': 3, 'actions': ()}, 'action_size: 3, not 2'),
    (
      {'observations': TASK.observations[::-1]},
      "observations: 'valve', not 'temperature'",
    ),
    (
      {'observations': (*TASK.observations, Field('none', (0,)))},
      "observations: 'none', not nothing",
    ),
    (
      {'observations': (Field('temperature', (3,)),)},
      "'temperature' has 3 numbers, not 2",
    ),
    ({'observations': changed(0, unit='F')}, "'temperature' is in F, not C"),
    (
      {'observations': changed(0, high=(120.0, 121.0))},
      "the high of 'temperature'[1] is 121.0, not 120.0",
    ),
    (
      {'actions': (Field('heat', (2,), 1.0, 9.0),)},
      "actions: the low of 'heat'[0] is 1.0, not 0.0",
    ),
  ],
)
def test_another_task_is_told_by_what_differs(change, says) -> None:
  kept = {key: getattr(TASK, key) for key in TASK.to_json()}
  differences = Task(**{**kept, **change}).differences(TASK)
  assert len(differences) == 1
  assert says in differences[0]


@pytest.mark.parametrize(
  'other',
  [
    Task('lab-heat', 3, 2),
    Task('', 3, 2, TASK.observations),
    Task('lab-heat', 3, 2, changed(0, unit='', low=-INF, high=INF)),
    Task('lab-heat', 3, 2, changed(0, low=(-40.0,) * 2)),
    Task('lab-heat', 3, 2, changed(0, high=120.000001, shape=(1, 2))),
  ],
)
def test_what_one_does_not_know_is_not_compared(other) -> None:
  assert not TASK.differences(other)
  assert not other.differences(TASK)


@pytest.mark.parametrize(
  ('field', 'says'),
  [
    (Field('x', (3,)), 'fields of 3 numbers together, but its width is 2'),
    (Field('x', (2,), (0.0,)), 'has 1 bounds; give one, or 2'),
    (Field('x', (2,), 1.0, 0.0), 'from 1.0 to 0.0'),
    (Field('x', (2,), math.nan), 'neither may be NaN'),
    (Field('x', (2,), INF, INF), 'from inf to inf'),
    (Field('x', (2,), -INF, -INF), 'from -inf to -inf'),
    (Field('x', (-2,)), 'none negative'),
    (Field('x', (1,) * 33), 'at most 32 axes'),
  ],
)
def test_a_field_that_is_none_is_refused(field, says) -> None:
  with pytest.raises(ValueError, match=says):
    Task('made-up', 2, 1, (field,))


@pytest.mark.parametrize(
  ('where', 'value'),
  [
    (('name',), None),
    (('observation_size',), '3'),
    (('action_size',), True),
    (('observations',), None),
    (('observations', 0), 'temperature'),
    (('observations', 0, 'shape'), 2),
    (('observations', 0, 'shape'), ['2']),
    (('observations', 0, 'low'), 'nan'),
    (('observations', 0, 'low'), 10**400),
    (('observations', 0, 'high'), [[1], 2]),
    (('observations', 0, 'unit'), 1),
    (('actions', 0, 'high'), [1]),
    (('name',), 'y' * 100_000),
    (('action_size',), 'y' * 100_000),
    (('observations', 0, 'name'), 'y' * 1_001),
    (('observations', 0, 'unit'), 'y' * 100_000),
    (('observations', 0, 'low'), 'y' * 100_000),
  ],
)
def test_json_of_something_else_is_refused_in_few_words(where, value) -> None:
  tree = TASK.to_json()
  inner = tree
  for key in where[:-1]:
    inner = inner[key]
  inner[where[-1]] = value
  with pytest.raises(ValueError) as caught:  # noqa: PT011  (any of the above)
    Task.from_json(tree)
  assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize('tree', [None, 3, 'x', [], {}, {'name': 'x'}])
def test_what_is_no_task_is_refused(tree) -> None:
  with pytest.raises(ValueError, match='is no task'):
    Task.from_json(tree)
