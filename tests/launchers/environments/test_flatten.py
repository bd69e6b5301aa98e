"""Nested numbers and vectors: nothing lost, nothing moved, in a known order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from launchers.environments.base import WidthError
from launchers.environments.flatten import (
  Actions,
  Leaf,
  Observations,
  canonical_bounds,
  walk,
)

SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
TREES = st.recursive(
  SHAPES.map(lambda shape: np.zeros(shape)),
  lambda inner: (
    st.dictionaries(st.sampled_from('abcd'), inner, min_size=1, max_size=3)
    | st.lists(inner, min_size=1, max_size=3).map(tuple)
  ),
  max_leaves=6,
)


def leaf(path: tuple[Any, ...], array: np.ndarray) -> Leaf:
  return Leaf(path, array.shape, array.dtype)


def numbered(tree: Any, start: int = 0) -> tuple[Any, int]:
  """The tree with 0, 1, ... in the order of its leaves, and where it ends."""
  if isinstance(tree, np.ndarray):
    values = np.arange(start, start + tree.size, dtype=np.float64)
    return values.reshape(tree.shape), start + tree.size
  keys = tree if isinstance(tree, dict) else range(len(tree))
  parts: dict[Any, Any] = {}
  for key in keys:
    parts[key], start = numbered(tree[key], start)
  return (parts if isinstance(tree, dict) else tuple(parts.values())), start


@given(TREES)
def test_a_vector_is_the_leaves_in_order(tree: Any) -> None:
  values, size = numbered(tree)
  if not size:
    with pytest.raises(ValueError, match='hold no number'):
      Observations(walk(tree, leaf))
    return
  observations = Observations(walk(tree, leaf))
  out = np.full(size, np.nan, np.float32)
  observations.write(values, out)
  np.testing.assert_array_equal(out, np.arange(size))
  assert sum(field.size for field in observations.fields) == size
  assert len({field.name for field in observations.fields}) == len(
    observations.fields
  )


@given(TREES, st.floats(0.1, 1e6), st.floats(-1e6, 1e6))
def test_canonical_actions_reach_both_bounds_and_never_beyond(
  tree: Any, width: float, low: float
) -> None:
  def bounded(path: tuple[Any, ...], array: np.ndarray) -> Leaf:
    dtype = np.dtype(np.float32)
    return Leaf(path, array.shape, dtype, np.float32(low), np.float32(high))

  high = low + width
  if not np.float32(low) < np.float32(high):
    return
  leaves = walk(tree, bounded)
  if not sum(np.prod(x.shape) for x in leaves):
    return
  actions = Actions(tree, leaves, None)
  for value, expected in ((-1, low), (1, high)):
    nested = actions.nest(np.full(actions.size, value, np.float32))
    for part in walk(nested, leaf):
      assert part.dtype == np.float32
    out = np.zeros(actions.size, np.float32)
    Observations(walk(nested, leaf)).write(nested, out)
    assert (np.float32(low) <= out).all()
    assert (out <= np.float32(high)).all()
    atol = 1e-6 * (abs(low) + abs(high))
    np.testing.assert_allclose(out, expected, atol=atol)


@pytest.mark.parametrize(
  ('dtype', 'shape', 'message'),
  [
    (np.uint8, (64, 64, 3), 'is an image'),
    (np.dtype('U3'), (), 'only numbers'),
    (object, (2,), 'only numbers'),
  ],
)
def test_what_is_no_vector_is_refused(
  dtype: Any, shape: tuple[int, ...], message: str
) -> None:
  with pytest.raises(ValueError, match=message):
    Observations([Leaf(('eye',), shape, np.dtype(dtype))])


@pytest.mark.parametrize(
  ('observation', 'message'),
  [
    ({'a': np.zeros(3)}, r'shape \(3,\)'),
    ({'b': np.zeros(2)}, "no 'a'"),
    ({'a': np.array(['x', 'y'])}, '<U1'),
    (None, "no 'a'"),
  ],
)
def test_an_observation_that_is_not_as_specified_is_refused(
  observation: Any, message: str
) -> None:
  observations = Observations([Leaf(('a',), (2,), np.dtype(np.float64))])
  with pytest.raises(WidthError, match=message):
    observations.write(observation, np.zeros(2, np.float32))


@pytest.mark.parametrize(
  ('low', 'high', 'bound', 'expected'),
  [
    (-1, 1, None, (-1, 1)),
    (0, 5, 9.0, (0, 5)),
    (-1e10, 1e10, 2.0, (-2, 2)),
    (0, np.inf, 3.0, (0, 3)),
    (-np.inf, np.nan, 3.0, (-3, 3)),
  ],
)
def test_missing_bounds_are_taken_from_the_person(
  low: float, high: float, bound: Any, expected: tuple[float, float]
) -> None:
  leaf = Leaf((), (2,), np.dtype(np.float64), low, high)
  both = canonical_bounds(leaf, bound)
  np.testing.assert_array_equal(both, np.repeat([expected], 2, 0).T)


@pytest.mark.parametrize(
  ('dtype', 'low', 'high', 'bound', 'message'),
  [
    (np.float64, -1e10, 1e10, None, 'Give --action-bound'),
    (np.float64, 5, np.inf, 2.0, 'must be below'),
    (np.float64, 1, 1, None, 'must be below'),
    (np.int64, 0, 3, None, 'only continuous actions'),
  ],
)
def test_actions_that_cannot_be_canonical_are_refused(
  dtype: Any, low: float, high: float, bound: Any, message: str
) -> None:
  with pytest.raises(ValueError, match=message):
    canonical_bounds(Leaf((), (1,), np.dtype(dtype), low, high), bound)
