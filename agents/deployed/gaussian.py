"""Policies that are a normal distribution of actions in every state."""

from collections.abc import Sequence

import numpy as np

from agents.deployed import layers
from agents.deployed.form import Form
from agents.deployed.layers import Arrays
from agents.deployed.stacked_network import StackedNetwork, stack
from datasets.types import EnvironmentSpec

MIN_VARIANCE = 'min_variance'
"""The array [1] of what is added to the variance."""


class Gaussian(Form):
  """Linear, layer norm, tanh, (linear, ELU)*, linear, whose head is 2 A wide.

  Of the head's outputs [mean, h] the deviation is
  sqrt(min_variance + softplus(h)^2). Without exploration the action is the
  mean, clipped.
  """

  has_distribution = True

  @staticmethod
  def check(arrays: Arrays) -> EnvironmentSpec:
    """See `Form.check`; besides those of `layers` there is `MIN_VARIANCE`."""
    layers.check_number(arrays, MIN_VARIANCE)
    checked = layers.check({k: arrays[k] for k in arrays if k != MIN_VARIANCE})
    size, odd = divmod(len(checked[-1][1]), 2)
    if odd:
      raise ValueError(
        f'The head has {2 * size + 1} outputs; a mean and a deviation for each '
        'action take an even number.'
      )
    return EnvironmentSpec(len(checked[0][0]), size)

  def __init__(self, policies: Sequence[Arrays], rows: int):
    self._network = StackedNetwork(policies, rows)
    self._min_variance = stack(policies, MIN_VARIANCE)[:, None]  # [P, 1, 1]
    size = self.check(policies[0]).action_size
    shape = len(policies), rows, size
    self._mean = self._raw = np.empty(shape, np.float32)
    # Of that shape: scalars would be slower.
    self._low, self._high, self._zero = (
      np.full(shape, bound, np.float32) for bound in (-1, 1, 0)
    )

  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """See `Form`."""
    outputs = self._network(observations)  # [P, R, 2 A]
    size = self._low.shape[2]
    self._mean, self._raw = outputs[..., :size], outputs[..., size:]
    actions = np.minimum(self._mean, self._high)
    return np.maximum(actions, self._low, out=actions)

  def distribution(self) -> tuple[np.ndarray, np.ndarray]:
    """See `Form`."""
    deviation = np.logaddexp(self._raw, self._zero)  # softplus
    np.square(deviation, out=deviation)
    np.add(deviation, self._min_variance, out=deviation)
    return self._mean, np.sqrt(deviation, out=deviation)
