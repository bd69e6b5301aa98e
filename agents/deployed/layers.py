"""The arrays of a network: their names, checks and digest.

For i from 0, 'i/w' and 'i/b', of which the last are the head's; and, where the
network has a layer norm after its first layer, 'norm/scale' and 'norm/offset'.
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import hashlib

import numpy as np

EPSILON = 1e-5
"""Of the layer norm."""

Arrays = Mapping[str, np.ndarray]
"""A network's or a policy's weights by name."""

Layers = list[tuple[np.ndarray, np.ndarray]]
"""Weights [inputs, outputs] and bias [outputs] of each layer, in order."""


_NORM = ('norm/scale', 'norm/offset')


def check(arrays: Arrays, has_norm: bool = True) -> Layers:
  """The layers in order.

  Args:
    arrays: by name.
    has_norm: whether the network has a layer norm.

  Raises:
    ValueError: something is missing, superfluous, misshapen or not finite.
  """
  norm = _NORM if has_norm else ()
  count = sum(name.endswith('/w') for name in arrays)
  names = {*norm, *(f'{i}/{x}' for i in range(count) for x in 'wb')}
  if set(arrays) != names or count < 2:
    raise ValueError(
      f'A network needs the arrays {sorted(names)}, of at least 2 layers; '
      f'these are {sorted(arrays)}.'
    )
  for name in arrays:
    check_array(arrays, name, 2 if name.endswith('/w') else 1)
  layers = [(arrays[f'{i}/w'], arrays[f'{i}/b']) for i in range(count)]
  width = len(layers[0][0])
  for i, (w, b) in enumerate(layers):
    if w.shape[0] != width or b.shape != w.shape[1:]:
      raise ValueError(
        f'Layer {i} has weights {w.shape} and bias {b.shape}; the layer '
        f'before it is {width} wide.'
      )
    width = w.shape[1]
  for name in norm:
    if arrays[name].shape != layers[0][1].shape:
      raise ValueError(
        f'Array {name!r} has shape {arrays[name].shape}, the first layer '
        f'{layers[0][1].shape}.'
      )
  return layers


def check_array(arrays: Arrays, name: str, rank: int) -> np.ndarray:
  """The array of that name.

  Raises:
    ValueError: it is missing, not float32, not of so many axes, or not finite.
  """
  if name not in arrays:
    raise ValueError(f'Array {name!r} is missing; these are {sorted(arrays)}.')
  array = arrays[name]
  if array.dtype != np.float32 or array.ndim != rank or array.size == 0:
    raise ValueError(
      f'Array {name!r} is {array.dtype} of shape {array.shape}; it must be '
      f'float32, of {rank} axes and not empty.'
    )
  if not np.isfinite(array).all():
    raise ValueError(f'Array {name!r} is not finite.')
  return array


def check_number(arrays: Arrays, name: str) -> None:
  """Refuses what is no array of one number, of 0 or more.

  Raises:
    ValueError: it is missing, misshapen or negative.
  """
  array = check_array(arrays, name, 1)
  if array.shape != (1,) or array[0] < 0:
    raise ValueError(
      f'Array {name!r} is {array[:9]} of shape {array.shape}; it must be one '
      'number, of 0 or more.'
    )


def split(
  arrays: Arrays, networks: Sequence[str], others: Sequence[str]
) -> dict[str, dict[str, np.ndarray]]:
  """The arrays 'NETWORK/NAME' of each network, by NAME.

  Args:
    arrays: by name.
    networks: the networks that there must be.
    others: the arrays that there may be besides.

  Raises:
    ValueError: a name is of none of them.
  """
  parts: dict[str, dict[str, np.ndarray]] = {name: {} for name in networks}
  for name, array in arrays.items():
    network, _, rest = name.partition('/')
    if network in parts and rest:
      parts[network][rest] = array
    elif name not in others:
      raise ValueError(
        f'Array {name!r} belongs to none of the networks {list(networks)}, and '
        f'is none of {list(others)}.'
      )
  return parts


def first_of_pairs(
  weights: np.ndarray,
  bias: np.ndarray,
  observations: np.ndarray,
  others: np.ndarray,
) -> np.ndarray:
  """The first layer of [s, x] for several x in each state.

  NumPy multiplies the rows of each state by themselves. All in one product are
  quicker, but then the last bits depend on a row's place in it.

  Args:
    weights: [S + Z, H].
    bias: [H].
    observations: [R, S]; their half is computed once for all x.
    others: [R, n, Z], or [n, Z] for all rows.

  Returns:
    [R, n, H], the caller's.
  """
  width = observations.shape[1]
  first = others @ weights[width:]
  return first + (observations[:, None] @ weights[:width] + bias)


@contextlib.contextmanager
def named(network: str) -> Iterator[None]:
  """Has what is refused say which network it is of."""
  try:
    yield
  except ValueError as error:
    raise ValueError(f'The {network}: {error}') from error


def shapes(arrays: Arrays) -> dict[str, tuple[int, ...]]:
  """The shape of each array: equal for what can be stacked."""
  return {name: array.shape for name, array in sorted(arrays.items())}


def digest(arrays: Arrays) -> str:
  """A fingerprint of names, dtypes, shapes and values."""
  sha = hashlib.sha256()
  for name, array in sorted(arrays.items()):
    sha.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
    sha.update(array.tobytes())
  return sha.hexdigest()
