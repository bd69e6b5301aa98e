"""Policies whose action is the tanh of a network."""

from collections.abc import Sequence

import numpy as np

from agents.deployed import layers
from agents.deployed.form import Form
from agents.deployed.layers import Arrays
from agents.deployed.stacked_network import StackedNetwork
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
