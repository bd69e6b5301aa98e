"""Which transitions an update sees."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np

BatchT = TypeVar('BatchT', bound=tuple[Any, ...])


class UniformSampler(Generic[BatchT]):
  """Batches drawn uniformly, with replacement, the same in every run.

  The indices of update n depend on nothing but the seed, n, and the size: not
  on how many updates are asked for at once, nor on what was drawn before.
  """

  def __init__(
    self,
    gather: Callable[[np.ndarray], BatchT],
    size: int,
    batch_size: int,
    seed: int,
  ):
    """Makes a sampler of a memory that is complete.

    Args:
      gather: from indices [..., B] to a batch.
      size: indices are drawn from [0, size).
      batch_size: B.
      seed: in [0, 2^128).

    Raises:
      ValueError: a value is out of its bounds.
    """
    if size < 1:
      raise ValueError(f'size is {size}: there is nothing to sample from.')
    if batch_size < 1:
      raise ValueError(f'batch_size is {batch_size}; it must be at least 1.')
    if not 0 <= seed < 1 << 128:
      raise ValueError(f'seed is {seed}; it must be in [0, 2^128).')
    self._gather = gather
    self._size = size
    self._batch_size = batch_size
    self._seed = seed

  def indices(self, step: int) -> np.ndarray:
    """The indices of one update, [B] int64."""
    # The counter's highest word is the update's; one update never needs the
    # 2^194 numbers that lie between two.
    bits = np.random.Philox(key=self._seed, counter=step << 192)
    # 53 random bits are what a double holds: the same floats everywhere, and
    # (1 - 2^-53) * size is rounded below size.
    raw = bits.random_raw(self._batch_size) >> np.uint64(11)
    return (raw * 2.0**-53 * self._size).astype(np.int64)

  def __call__(self, first_step: int, num_steps: int) -> BatchT:
    """The batches of the given updates.

    Args:
      first_step: number of the first update, from 0.
      num_steps: how many updates.

    Returns:
      What `gather` gives for indices [num_steps, B].
    """
    steps = range(first_step, first_step + num_steps)
    return self._gather(np.stack([self.indices(step) for step in steps]))
