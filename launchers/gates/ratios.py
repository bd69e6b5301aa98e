"""What a policy is worth, by weighting what others have earned.

Precup, Sutton and Singh (2000), Thomas (2015): importance sampling, per
decision and weighted; Jiang and Li (2016), Thomas and Brunskill (2016): doubly
robust, and weighted. All arrays are of n episodes of at most T steps; what lies
behind an episode's end is 0.
"""

import numpy as np
from scipy import special

from launchers.gates.deployed import Actions

LEAST_SIZE = 10.0
"""Effective sample size below which no rule uses an estimate of this kind."""


def log_density(actions: np.ndarray, policy: Actions) -> np.ndarray:
  """The log-density of clipped normal actions, [N, A] to [N] float64.

  Inside (-1, 1) it is that of the normal distribution; -1 and 1 have the mass
  of all that is clipped to them.

  Raises:
    ValueError: the policy draws nothing, so that there is no density.
  """
  if not np.all(policy.deviation > 0):
    raise ValueError(
      'A policy that acts without noise has no density of actions: importance '
      'ratios need --acting-noise above 0.'
    )
  a = np.asarray(actions, np.float64)
  mean = np.asarray(policy.mean, np.float64)
  deviation = np.asarray(policy.deviation, np.float64)
  z = (a - mean) / deviation
  inside = -0.5 * z**2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)
  below = special.log_ndtr((-1 - mean) / deviation)
  above = special.log_ndtr((mean - 1) / deviation)
  each = np.where(a <= -1, below, np.where(a >= 1, above, inside))
  return np.sum(each, axis=-1)


def per_decision(
  log_ratios: np.ndarray, rewards: np.ndarray, discount: float
) -> float:
  """PDIS, of arrays [n, T]; infinite where the ratios are beyond float64."""
  with np.errstate(over='ignore'):
    weights = np.exp(np.cumsum(log_ratios, axis=1))
    each = (weights * rewards) @ _powers(discount, rewards.shape[1])
  return float(np.mean(each))


def weighted_per_decision(
  log_ratios: np.ndarray, rewards: np.ndarray, discount: float
) -> float:
  """WPDIS, of arrays [n, T]: biased, and within the rewards' range."""
  steps = np.sum(weights_of(log_ratios) * rewards, axis=0)
  return float(steps @ _powers(discount, rewards.shape[1]))


def weights_of(log_ratios: np.ndarray) -> np.ndarray:
  """Each episode's share of a step's weight, [n, T] to [n, T]; sums to 1."""
  return special.softmax(np.cumsum(log_ratios, axis=1), axis=0)


def effective_sizes(log_ratios: np.ndarray) -> np.ndarray:
  """How many unweighted episodes are worth as much at each step, [T]."""
  return 1 / np.sum(weights_of(log_ratios) ** 2, axis=0)


def doubly_robust(
  log_ratios: np.ndarray,
  rewards: np.ndarray,
  discount: float,
  q: np.ndarray,
  v: np.ndarray,
  weighted: bool = True,
) -> np.ndarray:
  """Each episode's part of the (weighted) doubly robust estimate: its sum.

  Args:
    log_ratios: [n, T].
    rewards: [n, T].
    discount: g.
    q: [n, T], Q of what was done.
    v: [n, T + 1], what the estimated policy's actions are worth where each step
      begins; last, for what comes after an episode that was cut: 0 after one
      that has ended itself.
    weighted: whether to normalise the weights of each step (WDR).

  Returns:
    [n]; their sum is the estimate.
  """
  count, steps = rewards.shape
  if weighted:
    weights = weights_of(log_ratios)
  else:
    weights = np.exp(np.cumsum(log_ratios, axis=1)) / count
  before = np.concatenate([np.full((count, 1), 1 / count), weights], axis=1)
  corrections = (weights * (rewards - q)) @ _powers(discount, steps)
  return corrections + (before * v) @ _powers(discount, steps + 1)


def _powers(discount: float, steps: int) -> np.ndarray:
  return np.power(float(discount), np.arange(steps))
