"""What an update cannot do without: its products, and how fast they could be.

The rate of 256 x 256 x 256 float32 products, times what an update needs of
them, is the most updates a second that the products alone allow.
"""

from collections.abc import Callable, Sequence
import itertools
from typing import Any

import numpy as np

from benchmarks import common

FLOPS = 2 * 256**3
"""Of one product."""


def numpy_products(products: int) -> None:
  """So many, one at a time on all cores, by NumPy."""
  factor = np.full((256, 256), 1 / 256, np.float32)
  result = np.empty_like(factor)
  for _ in range(products):
    np.dot(factor, factor, out=result)


def tensorflow_products(one_at_a_time: bool) -> Callable[[int], Any]:
  """What does so many by TensorFlow, else one on each core at a time."""
  import tensorflow as tf

  cores = common.machine()['cores']
  chains = 1 if one_at_a_time else cores
  threads = tf.config.threading
  threads.set_inter_op_parallelism_threads(chains)
  threads.set_intra_op_parallelism_threads(cores if one_at_a_time else 1)
  factor = tf.random.stateless_uniform([256, 256], [0, 0]) / 128

  @tf.function(autograph=False)
  def multiply(count: tf.Tensor) -> list[tf.Tensor]:
    return tf.while_loop(
      lambda i, _: i < count,
      lambda i, chains: (i + 1, [tf.matmul(c, factor) for c in chains]),
      [0, [factor + i for i in range(chains)]],
    )[1]

  def run(products: int) -> None:
    for result in multiply(tf.constant(products // chains)):
      result.numpy()

  return run


def forward(rows: int, sizes: Sequence[int]) -> int:
  """Of a forward pass of so many rows: floating-point operations."""
  return sum(2 * rows * n * m for n, m in itertools.pairwise(sizes))
