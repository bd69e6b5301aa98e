"""Returns: over n steps, and to the end of an episode."""

import numpy as np


def n_step_returns(
  rewards: np.ndarray, discounts: np.ndarray, n_step: int, discount: float
) -> tuple[np.ndarray, np.ndarray]:
  """The reward and the discount of the transition that starts at each step.

  With m = min(n, T - t), the steps that are left to transition t:
    reward_t   = sum_{i<m} g^i (prod_{j<i} d_{t+j}) r_{t+i}
    discount_t = g^{m-1} prod_{j<m} d_{t+j}

  Args:
    rewards: [T] r.
    discounts: [T] d, of the environment.
    n_step: n.
    discount: g.

  Returns:
    Both, [T] float32.
  """
  length = len(rewards)
  total = np.zeros(length)
  survival = np.ones(length)  # prod_{j<i} d_{t+j}, where there are i steps.
  for i in range(min(n_step, length)):
    ahead = slice(i, length)
    here = slice(0, length - i)
    total[here] += discount**i * survival[here] * rewards[ahead]
    survival[here] *= discounts[ahead]
  covered = np.minimum(n_step, length - np.arange(length))
  last = np.power(float(discount), covered - 1)
  return total.astype(np.float32), (last * survival).astype(np.float32)


def returns_to_go(
  rewards: np.ndarray, discounts: np.ndarray, discount: float
) -> np.ndarray:
  """G_t = r_t + g d_t G_{t+1}, to the end of an episode; 0 beyond it.

  What covers n steps from everywhere is joined with what does n steps on, so
  log2(T) sums of arrays do it: no loop over steps, and no power of g that would
  have to be divided by.

  Args:
    rewards: [T] r.
    discounts: [T] d, of the environment.
    discount: g.

  Returns:
    [T] float32.
  """
  total = rewards.astype(np.float64)
  survival = discount * discounts.astype(np.float64)
  covered = 1
  while covered < len(total):
    total[:-covered] += survival[:-covered] * total[covered:]
    survival[:-covered] *= survival[covered:]
    covered *= 2
  return total.astype(np.float32)
