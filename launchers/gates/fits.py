"""How Q is fitted, and what came out: what needs no TensorFlow."""

from typing import NamedTuple

import numpy as np

_TURN_OVERS = 5  # Of the targets in one horizon: e^-5 of the start is left.
_SLOWEST, _FASTEST = 0.005, 0.1  # Shares of the way that targets go.


class FitOptions(NamedTuple):
  """How it is fitted.

  Attributes:
    updates: how many.
    members: networks of each policy.
    layer_sizes: widths of the hidden layers.
    batch_size: transitions in an update of a network.
    learning_rate: AdamW's first step size, which falls to a twentieth.
    weight_decay: AdamW's.
  """

  updates: int
  members: int = 5
  layer_sizes: tuple[int, ...] = (128, 128)
  batch_size: int = 256
  learning_rate: float = 1e-3
  weight_decay: float = 1e-5

  def target_rate(self, discount: float) -> float:
    """The share of the way that targets go after each update."""
    needed = _TURN_OVERS / max(1 - discount, 1e-9) / max(self.updates, 1)
    return min(max(needed, _SLOWEST), _FASTEST)

  @staticmethod
  def least_updates(discount: float) -> int:
    """With fewer, values keep something of where they started."""
    return round(_TURN_OVERS / max(1 - discount, 1e-9) / _FASTEST)


class Fit(NamedTuple):
  """What came out.

  Attributes:
    values: [P, E, N] float32, V of the first observation of each episode by
      each network of each policy.
    moved: [P], how far the estimates went in the last fifth of the updates.
    reasons: why they may not be gone by; empty where they have settled.
  """

  values: np.ndarray
  moved: np.ndarray
  reasons: tuple[str, ...]

  @property
  def estimates(self) -> np.ndarray:
    """[P] float64, the mean over networks and episodes."""
    return np.mean(self.values, axis=(1, 2), dtype=np.float64)

  def interval(
    self, policy: int, seed: np.random.SeedSequence, delta: float
  ) -> tuple[float, float]:
    """What a policy's value is below, and above, so seldom each.

    A network is one draw of the episodes; with it first observations are drawn.
    """
    rng = np.random.default_rng(seed)
    _, members, count = self.values.shape
    means = [
      np.mean(
        self.values[
          policy, rng.integers(members), rng.integers(count, size=count)
        ],
        dtype=np.float64,
      )
      for _ in range(2_000)
    ]
    low, high = np.quantile(means, [delta, 1 - delta])
    return float(low), float(high)
