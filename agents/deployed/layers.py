"""The arrays of a network with a layer norm: their names, checks and digest.

'norm/scale', 'norm/offset' and, for i from 0, 'i/w' and 'i/b'; the last layer
is the head.
"""

from collections.abc import Mapping
import hashlib

import numpy as np

EPSILON = 1e-5
"""Of the layer norm."""

Layers = list[tuple[np.ndarray, np.ndarray]]
"""Weights [inputs, outputs] and bias [outputs] of each layer, in order."""


def check(arrays: Mapping[str, np.ndarray]) -> Layers:
  """The layers in order.

  Raises:
    ValueError: something is missing, superfluous, misshapen or not finite.
  """
  count = sum(name.endswith('/w') for name in arrays)
  names = {f'{i}/{x}' for i in range(count) for x in 'wb'}
  names |= {'norm/scale', 'norm/offset'}
  if set(arrays) != names or count < 2:
    raise ValueError(
      f'A network needs the arrays {sorted(names)}, of at least 2 layers; '
      f'these are {sorted(arrays)}.'
    )
  for name, array in arrays.items():
    rank = 2 if name.endswith('/w') else 1
    if array.dtype != np.float32 or array.ndim != rank or array.size == 0:
      raise ValueError(
        f'Array {name!r} is {array.dtype} of shape {array.shape}; it must be '
        f'float32, of {rank} axes and not empty.'
      )
    if not np.isfinite(array).all():
      raise ValueError(f'Array {name!r} is not finite.')
  layers = [(arrays[f'{i}/w'], arrays[f'{i}/b']) for i in range(count)]
  width = len(layers[0][0])
  for i, (w, b) in enumerate(layers):
    if w.shape[0] != width or b.shape != w.shape[1:]:
      raise ValueError(
        f'Layer {i} has weights {w.shape} and bias {b.shape}; the layer '
        f'before it is {width} wide.'
      )
    width = w.shape[1]
  for name in ('norm/scale', 'norm/offset'):
    if arrays[name].shape != layers[0][1].shape:
      raise ValueError(
        f'Array {name!r} has shape {arrays[name].shape}, the first layer '
        f'{layers[0][1].shape}.'
      )
  return layers


def digest(arrays: Mapping[str, np.ndarray]) -> str:
  """A fingerprint of names, dtypes, shapes and values."""
  sha = hashlib.sha256()
  for name, array in sorted(arrays.items()):
    sha.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
    sha.update(array.tobytes())
  return sha.hexdigest()
