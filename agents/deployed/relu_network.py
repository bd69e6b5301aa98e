"""Plain networks: (linear, ReLU)*, linear, of two inputs side by side."""

import numpy as np

from agents.deployed import layers
from agents.deployed.layers import Arrays


class ReluNetwork:
  """Maps a state and something else, such as an action, to O numbers.

  Any thread may call it, and several at once.

  Attributes:
    inputs: the width of a state and of the other together.
    outputs: O.
  """

  def __init__(self, arrays: Arrays):
    """Checks the arrays and takes them over.

    Args:
      arrays: those of `layers`, without a norm.

    Raises:
      ValueError: something is missing, superfluous, misshapen or not finite.
    """
    self._layers = layers.check(arrays, has_norm=False)
    self.inputs = len(self._layers[0][0])
    self.outputs = len(self._layers[-1][1])

  def __call__(
    self, observations: np.ndarray, others: np.ndarray
  ) -> np.ndarray:
    """[R, S] and [R, n, Z], or [n, Z] for all rows, to [R, n, O]."""
    (w, b), *rest = self._layers
    x = layers.first_of_pairs(w, b, observations, others)  # [R, n, H]
    for w, b in rest:
      np.maximum(x, 0, out=x)
      x = x @ w
      x += b
    return x
