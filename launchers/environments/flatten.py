"""Nested observations and actions as the float32 vectors that we learn from.

An observation is the concatenation of its leaves, each in C order. A leaf is
named by the keys that lead to it, joined by '/'; entries of a tuple or list
are named by their index. The leaves come in the order of dm_env's spec, or in
that of Gymnasium's space (whose Dict sorts the keys of a plain dict). Whole
numbers, booleans and Gymnasium's Discrete are their value.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

import numpy as np

from datasets.tasks import Bounds, Field, Task
from launchers.environments.base import WidthError

UNBOUNDED = 1e9
"""A bound beyond this counts as none: dm_control writes 1e10 for infinity."""


class Leaf(NamedTuple):
  """An array in a nested structure.

  Attributes:
    path: the keys and indices that lead to it.
    shape: of the array.
    dtype: of the array.
    low: least values, to be broadcast to the shape; -inf where there are none.
    high: greatest values, likewise.
  """

  path: tuple[Any, ...]
  shape: tuple[int, ...]
  dtype: np.dtype[Any]
  low: Any = -np.inf
  high: Any = np.inf

  @property
  def name(self) -> str:
    """Its path, for a person."""
    return '/'.join(map(str, self.path))


def walk(
  tree: Any,
  leaf_of: Callable[[tuple[Any, ...], Any], Leaf],
  path: tuple[Any, ...] = (),
) -> list[Leaf]:
  """The leaves of nested mappings and sequences, in their order."""
  if isinstance(tree, Mapping):
    items = list(tree.items())
  elif isinstance(tree, (list, tuple)):
    items = list(enumerate(tree))
  else:
    return [leaf_of(path, tree)]
  return [x for k, part in items for x in walk(part, leaf_of, (*path, k))]


class Observations:
  """Writes nested observations into vectors.

  Attributes:
    fields: what the vectors are made of.
    size: S, their width.
  """

  def __init__(self, leaves: Sequence[Leaf]):
    """Refuses what is no vector of numbers.

    Raises:
      ValueError: a leaf is text, an object or an image, or there is none.
    """
    for leaf in leaves:
      _check_observed(leaf)
    self._parts: list[tuple[Leaf, slice]] = []
    self.size = 0
    for leaf in leaves:
      size = int(np.prod(leaf.shape, dtype=int))
      self._parts.append((leaf, slice(self.size, self.size + size)))
      self.size += size
    if not self.size:
      raise ValueError('Its observations hold no number; there must be one.')
    self.fields = tuple(
      Field(leaf.name or 'observation', leaf.shape, *_bounds(leaf))
      for leaf in leaves
    )

  def write(self, observation: Any, out: np.ndarray) -> None:
    """Writes an observation to `out` [S].

    Raises:
      WidthError: it is not what the specification says.
    """
    for leaf, where in self._parts:
      part = observation
      try:
        for key in leaf.path:
          part = part[key]
      except (KeyError, IndexError, TypeError) as error:
        raise WidthError(
          f'The observation has no {leaf.name!r}, which its specification '
          'names: give every part at every step.'
        ) from error
      values = np.asarray(part)
      if values.dtype.kind not in 'biuf':
        raise WidthError(f'{_called(leaf)} is {values.dtype}; give numbers.')
      if values.shape != leaf.shape:
        raise WidthError(
          f'{_called(leaf)} is of shape {values.shape}, but its '
          f'specification says {leaf.shape}: its width must never change.'
        )
      out[where] = values.ravel()


def _called(leaf: Leaf) -> str:
  """What a person calls a part; that of an array alone has no name."""
  return f'The observation {leaf.name!r}' if leaf.name else 'The observation'


class Actions:
  """Turns vectors in [-1, 1]^A into an environment's own nested actions.

  Attributes:
    fields: what the vectors are made of, with the bounds they stand for.
    size: A, their width.
  """

  def __init__(
    self, tree: Any, leaves: Sequence[Leaf], action_bound: Optional[float]
  ):
    """Makes the bounds canonical.

    Args:
      tree: of the structure that the environment wants.
      leaves: its leaves, as `walk` gives them.
      action_bound: stands in for a bound that is missing.

    Raises:
      ValueError: the actions are not continuous, or have no bounds.
    """
    self._tree = tree
    self._parts = []
    self.size = 0
    fields = []
    for leaf in leaves:
      low, high = canonical_bounds(leaf, action_bound)
      bounds = tuple(map(float, low.ravel())), tuple(map(float, high.ravel()))
      fields.append(Field(leaf.name or 'action', leaf.shape, *bounds))
      where = slice(self.size, self.size + low.size)
      self._parts.append((leaf, where, low, high))
      self.size += low.size
    if not self.size:
      raise ValueError('Its actions hold no number; there must be one.')
    self.fields = tuple(fields)

  def nest(self, action: np.ndarray) -> Any:
    """An action [A] in [-1, 1] as the environment takes it."""
    parts = []
    for leaf, where, low, high in self._parts:
      canonical = action[where].reshape(leaf.shape).astype(np.float64)
      own = (high + low) / 2 + (high - low) / 2 * canonical
      # A rounding error beyond a bound would be refused by some.
      parts.append(np.asarray(np.clip(own, low, high), leaf.dtype))
    return _rebuild(self._tree, iter(parts))


def task_of(name: str, observations: Observations, actions: Actions) -> Task:
  """The task with these observations and actions, by its canonical name."""
  return Task(
    name,
    observations.size,
    actions.size,
    observations.fields,
    actions.fields,
  )


def canonical_bounds(
  leaf: Leaf, action_bound: Optional[float]
) -> tuple[np.ndarray, np.ndarray]:
  """What -1 and 1 stand for in an action, each of its shape, float64.

  Args:
    leaf: the action, or a part of one.
    action_bound: stands in, with either sign, for a bound that is missing.

  Raises:
    ValueError: the action is not continuous, or has no bounds.
  """
  name = leaf.name or 'action'
  if leaf.dtype.kind != 'f':
    raise ValueError(
      f'Its action {name!r} is {leaf.dtype}, but only continuous actions can '
      'be learned. Wrap the environment so that it takes float32 or float64 '
      'in a range, and rounds.'
    )
  low = np.array(np.broadcast_to(leaf.low, leaf.shape), np.float64)
  high = np.array(np.broadcast_to(leaf.high, leaf.shape), np.float64)
  # Written so that NaN counts as unbounded, too.
  no_low, no_high = ~(low >= -UNBOUNDED), ~(high <= UNBOUNDED)
  if no_low.any() or no_high.any():
    if action_bound is None:
      raise ValueError(
        f'Its action {name!r} has no bounds ({low.min()} to {high.max()}; '
        f'beyond {UNBOUNDED:g} counts as none), so nobody knows what full '
        'effort is. Give --action-bound, the largest value worth trying.'
      )
    low[no_low], high[no_high] = -action_bound, action_bound
  if not (low < high).all():
    raise ValueError(
      f'Its action {name!r} goes from {low.ravel()} to {high.ravel()}; each '
      'lower bound must be below the upper one. Correct its specification or '
      '--action-bound.'
    )
  return low, high


def check_action_bound(action_bound: Optional[float]) -> None:
  """Refuses an --action-bound that bounds nothing.

  Raises:
    ValueError: it is not in (0, UNBOUNDED].
  """
  if action_bound is not None and not 0 < action_bound <= UNBOUNDED:
    raise ValueError(
      f'--action-bound is {action_bound}; give more than 0 and at most '
      f'{UNBOUNDED:g}.'
    )


def _check_observed(leaf: Leaf) -> None:
  name = leaf.name or 'observation'
  if leaf.dtype == np.uint8 and len(leaf.shape) >= 3:
    raise ValueError(
      f'Its observation {name!r} is an image ({leaf.shape}, uint8); only '
      'vectors of numbers can be learned from. Leave it out of its '
      'observations, by an option of the environment or a wrapper.'
    )
  if leaf.dtype.kind not in 'biuf':
    raise ValueError(
      f'Its observation {name!r} is {leaf.dtype}; only numbers can be learned '
      'from. Leave it out by a wrapper.'
    )


def _bounds(leaf: Leaf) -> tuple[Bounds, Bounds]:
  """One number where all entries have the same bound."""
  both = []
  for bound in (leaf.low, leaf.high):
    values = np.broadcast_to(np.asarray(bound, np.float64), leaf.shape).ravel()
    same = not values.size or (values == values[0]).all()
    first = float(values[0]) if values.size else float(np.ravel(bound)[0])
    both.append(first if same else tuple(map(float, values)))
  return both[0], both[1]


def _rebuild(tree: Any, parts: Any) -> Any:
  if isinstance(tree, Mapping):
    return {key: _rebuild(part, parts) for key, part in tree.items()}
  if isinstance(tree, (list, tuple)):
    return type(tree)([_rebuild(part, parts) for part in tree])
  return next(parts)
