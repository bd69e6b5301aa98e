"""Policies whose action is the tanh of a network."""

from collections.abc import Sequence

import numpy as np

from agents.deployed import layers
from agents.deployed.form import Form
from agents.deployed.layers import Arrays
from agents.deployed.stacked_network import StackedNetwork, stack
from datasets.types import EnvironmentSpec


class Deterministic(Form):
  """tanh of linear, layer norm, tanh, (linear, ELU)*, linear."""

  @staticmethod
  def check(arrays: Arrays) -> EnvironmentSpec:
    """See `Form.check`; the arrays are those of `layers`."""
    checked = layers.check(arrays)
    return EnvironmentSpec(len(checked[0][0]), len(checked[-1][1]))

  def __init__(self, policies: Sequence[Arrays], rows: int):
    self._network = StackedNetwork(policies, rows)

  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """See `Form`."""
    return np.tanh(self._network(observations))


class DeterministicRelu(Form):
  """tanh of (linear, ReLU)*, linear."""

  @staticmethod
  def check(arrays: Arrays) -> EnvironmentSpec:
    """See `Form.check`; the arrays are those of `layers`, without a norm."""
    checked = layers.check(arrays, has_norm=False)
    return EnvironmentSpec(len(checked[0][0]), len(checked[-1][1]))

  def __init__(self, policies: Sequence[Arrays], rows: int):
    self._layers = [
      (w, b, np.empty((len(w), rows, w.shape[2]), np.float32))
      for w, b in (
        (stack(policies, f'{i}/w'), stack(policies, f'{i}/b')[:, None])
        for i in range(len(policies[0]) // 2)
      )
    ]  # (weights [P, n, m], bias [P, 1, m], outputs [P, R, m])

  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """See `Form`."""
    *hidden, (head_w, head_b, outputs) = self._layers
    x = np.ascontiguousarray(observations, np.float32)
    for w, b, y in hidden:
      np.matmul(x, w, out=y)
      np.add(y, b, out=y)
      x = np.maximum(y, 0, out=y)
    np.matmul(x, head_w, out=outputs)
    return np.tanh(np.add(outputs, head_b, out=outputs))
