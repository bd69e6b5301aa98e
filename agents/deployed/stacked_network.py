"""Several networks of one shape in one pass, each with rows of its own."""

from collections.abc import Sequence

import numpy as np

from agents.deployed import layers
from agents.deployed.layers import Arrays


class StackedNetwork:
  """P networks of R rows: linear, layer norm, tanh, (linear, ELU)*, linear.

  A call of NumPy serves all of them. A network's outputs depend, bit for bit,
  on R but not on the other networks, nor on how many there are. It holds
  buffers: one thread at a time may call it.
  """

  def __init__(self, networks: Sequence[Arrays], rows: int):
    """Takes the weights, which must not change any more.

    Args:
      networks: at least one, checked before (`layers.check`); arrays of other
        names are left alone.
      rows: how many observations each of them gets at a time.

    Raises:
      ValueError: they are not of one shape.
    """
    _check_shapes(networks)
    count = sum(name.endswith('/w') for name in networks[0])
    stacks = [
      (stack(networks, f'{i}/w'), stack(networks, f'{i}/b')[:, None])
      for i in range(count)
    ]  # (weights [P, n, m], bias [P, 1, m])
    # Centred, so that the first layer's outputs have mean 0 and the layer norm
    # need not subtract one.
    stacks[0] = tuple(x - x.mean(2, keepdims=True) for x in stacks[0])
    self._first, *hidden, self._head = [
      (w, b, np.empty((len(w), rows, w.shape[2]), np.float32))
      for w, b in stacks
    ]
    # Zeros of that shape: a scalar would be slower.
    self._hidden = [
      (w, b, y, np.zeros_like(y), np.empty_like(y)) for w, b, y in hidden
    ]
    self._scale = stack(networks, 'norm/scale')[:, None]
    self._offset = stack(networks, 'norm/offset')[:, None]
    shape = len(networks), rows, stacks[0][0].shape[1]
    self._inputs = np.empty(shape, np.float32)
    self._norm = np.empty((len(networks) * rows, 1), np.float32)

  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """[P, R, S] to [P, R, O]; once a time step, so every call of NumPy counts.

    The result is a buffer, which the next call overwrites.
    """
    self._inputs[:] = observations  # As float32, and contiguous.
    (w, b, x), norm = self._first, self._norm
    np.matmul(self._inputs, w, out=x)  # [P, R, H], of mean 0
    np.add(x, b, out=x)
    flat = x.reshape(len(norm), -1)  # [P * R, H], of the same memory
    np.einsum('bh,bh->b', flat, flat, out=norm[:, 0])
    np.multiply(norm, 1.0 / flat.shape[1], out=norm)  # The variance.
    np.add(norm, layers.EPSILON, out=norm)
    np.sqrt(norm, out=norm)
    np.divide(flat, norm, out=flat)
    np.multiply(x, self._scale, out=x)
    np.add(x, self._offset, out=x)
    np.tanh(x, out=x)
    for w, b, y, zeros, negative in self._hidden:
      np.matmul(x, w, out=y)
      np.add(y, b, out=y)
      np.minimum(y, zeros, out=negative)
      np.expm1(negative, out=negative)
      x = np.maximum(y, negative, out=y)  # ELU
    w, b, y = self._head
    np.matmul(x, w, out=y)
    return np.add(y, b, out=y)


def stack(networks: Sequence[Arrays], name: str) -> np.ndarray:
  """The arrays of that name of all networks, [P, ...]."""
  if len(networks) == 1:
    return networks[0][name][None]  # Most are alone; spares them the copy.
  return np.stack([arrays[name] for arrays in networks])


def _check_shapes(networks: Sequence[Arrays]) -> None:
  first, *others = map(layers.shapes, networks)
  for shapes in others:
    if shapes != first:
      raise ValueError(
        f'A network of shapes {shapes} cannot be stacked on one of {first}; '
        'stack those of one shape only.'
      )
