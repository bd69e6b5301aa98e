"""Several policies of one shape in one pass, each with rows of its own."""

from collections.abc import Mapping, Sequence

import numpy as np

from agents.deployed import layers

Arrays = Mapping[str, np.ndarray]
"""A policy's weights by name, as `policy.Policy.arrays` gives them."""


class StackedPolicy:
  """P policies that act on R rows each; a call of NumPy serves all of them.

  A policy's actions depend, bit for bit, on R but not on the other policies,
  nor on how many there are. It holds buffers: one thread at a time may call it.
  """

  def __init__(self, policies: Sequence[Arrays], rows: int):
    """Takes the weights, which must not change any more.

    Args:
      policies: at least one, checked before.
      rows: how many observations each of them gets at a time.

    Raises:
      ValueError: they are not of one shape.
    """
    _check_shapes(policies)
    self.rows = rows
    count = sum(name.endswith('/w') for name in policies[0])
    stacks = [
      (_stack(policies, f'{i}/w'), _stack(policies, f'{i}/b')[:, None])
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
    self._scale = _stack(policies, 'norm/scale')[:, None]
    self._offset = _stack(policies, 'norm/offset')[:, None]
    shape = len(policies), rows, stacks[0][0].shape[1]
    self._inputs = np.empty(shape, np.float32)
    self._norm = np.empty((len(policies) * rows, 1), np.float32)

  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """[P, R, S] to [P, R, A]; once a time step, so every call of NumPy counts.

    The result is the caller's.
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
    np.add(y, b, out=y)
    return np.tanh(y)


def _stack(policies: Sequence[Arrays], name: str) -> np.ndarray:
  if len(policies) == 1:
    return policies[0][name][None]  # Most are alone; spares them the copy.
  return np.stack([arrays[name] for arrays in policies])


def _check_shapes(policies: Sequence[Arrays]) -> None:
  first, *others = [
    {name: array.shape for name, array in arrays.items()} for arrays in policies
  ]
  for shapes in others:
    if shapes != first:
      raise ValueError(
        f'A policy of shapes {shapes} cannot be stacked on one of {first}; '
        'stack those of one shape only.'
      )
