"""Files that somebody changed, by accident or on purpose."""

from collections.abc import Callable
import copy
import json
import random
from typing import Any, Union

import numpy as np

_DEEP = 100_000

JUNK: tuple[Any, ...] = (
  None, True, -1, 0, 3, 10**400, 1.5, -1e308, float('nan'), float('inf'), '',
  'x', '\n', 'é\x00', 'y' * 100_000, [], {}, [1, 'a'], {'a': 1}, [[]], ['x'],
)  # fmt: skip
"""Values for any place of a record."""

ARRAYS: tuple[Callable[[np.ndarray], Any], ...] = (
  lambda a: a.astype(np.float64),
  lambda a: a.astype('S3'),
  lambda a: a.astype(np.complex64),
  lambda a: a[:-1] if a.ndim else a[None],
  lambda a: a[..., None],
  lambda a: np.zeros((0, *a.shape), a.dtype),
  lambda a: a.reshape(-1)[:0],
  lambda a: np.full(a.shape, np.nan, np.float32),
  lambda a: np.full(a.shape, np.inf, np.float32),
  lambda a: np.full(a.shape, 3e38, np.float32),
  lambda a: np.full(a.shape, 7.0, np.float32),
  lambda a: a.astype(np.float16),
  lambda a: a.astype(np.int64),
  lambda a: np.asarray(3),
  lambda a: np.asarray('text'),
)
"""Other arrays for any of a file."""


def of_bytes(data: bytes, draw: random.Random) -> bytes:
  """Some bytes changed, cut off, put in, or left out."""
  changed = bytearray(data)
  for _ in range(draw.choice((1, 1, 3, 20))):
    place = draw.randrange(max(1, len(changed)))
    how = draw.randrange(5)
    if how == 0:
      changed[place : place + 1] = bytes([draw.randrange(256)])
    elif how == 1:
      del changed[place:]
    elif how == 2:
      changed[place:place] = draw.choice((b'\xff', b'\x00', b'"', b'[', b',9'))
    elif how == 3:
      del changed[place : place + draw.randrange(1, 30)]
    else:
      changed[place:place] = changed[: draw.randrange(50)]
  return bytes(changed)


def of_json(text: Union[bytes, str], draw: random.Random) -> bytes:
  """A value of a record replaced, left out or put in; or it is nested."""
  tree = json.loads(text)
  for _ in range(draw.choice((1, 1, 2, 5))):
    tree = _of_tree(tree, draw)
  data = json.dumps(tree)
  if draw.random() < 0.05:
    data = data.replace('1', '[' * _DEEP, 1)
  return data.encode('utf-8', 'surrogatepass')


def _junk(draw: random.Random) -> Any:
  return copy.deepcopy(draw.choice(JUNK))


def _of_tree(tree: Any, draw: random.Random) -> Any:
  places = list(_places(tree))
  if not places or draw.random() < 0.05:
    return _junk(draw)
  parent, key = draw.choice(places)
  how = draw.randrange(4)
  if how == 0:
    del parent[key]
  elif how == 1 and isinstance(parent, dict):
    parent[draw.choice(('x', '', 'y' * 300))] = _junk(draw)
  else:
    parent[key] = _junk(draw)
  return tree


def _places(tree: Any) -> Any:
  pairs: Any = ()
  if isinstance(tree, dict):
    pairs = tree.items()
  elif isinstance(tree, list):
    pairs = enumerate(tree)
  for key, value in pairs:
    yield tree, key
    yield from _places(value)


def of_arrays(
  arrays: dict[str, np.ndarray], draw: random.Random
) -> dict[str, np.ndarray]:
  """An array replaced, left out or put in."""
  changed = dict(arrays)
  for _ in range(draw.choice((1, 1, 2))):
    name = draw.choice(sorted(changed))
    how = draw.randrange(6)
    if how == 0:
      del changed[name]
    elif how == 1:
      changed[draw.choice(('x', 'é', 'policy/', 'z' * 300))] = changed[name]
    else:
      changed[name] = np.asarray(draw.choice(ARRAYS)(changed[name]))
    if not changed:
      break
  return changed
