"""Whether a policy stays where the data are."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import spatial

from launchers.gates import ratios
from launchers.gates.deployed import Actions

ROWS = 20_000
"""Most rows of the data that are looked among."""
STATES = 1_000
"""Most states in which it is asked."""
_NEIGHBOURS = 10
_AT_ONCE = 100  # States, of which each takes milliseconds.
_USUAL = 99  # The percentile of the data's own actions that is still usual.


class Support(NamedTuple):
  """How far what a policy does is from what was done.

  Attributes:
    outside: the share of states in which its action is farther from those of
      similar states than 99 in 100 of the data's own.
    usual: that distance, in action units.
    states: in how many states it was asked.
  """

  outside: float
  usual: float
  states: int


def choose(count: int, most: int, seed: np.random.SeedSequence) -> np.ndarray:
  """So many of `count` rows, in order; all where there are no more."""
  if count <= most:
    return np.arange(count)
  return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


class Neighbours:
  """The data's own actions in states that are similar to some of them."""

  def __init__(
    self,
    observations: np.ndarray,
    actions: np.ndarray,
    asked: np.ndarray,
    tick: Callable[[], None] = lambda: None,
  ):
    """Finds them.

    Args:
      observations: [N, S], of which no two are the same step; at least 2.
      actions: [N, A], done there.
      asked: [Q] int, the rows of the states in which policies will be judged.
      tick: called now and then; it may raise.
    """
    spread = np.std(observations, axis=0, dtype=np.float64)
    scaled = observations / np.where(spread > 1e-6, spread, 1.0)
    count = min(_NEIGHBOURS + 1, len(observations))  # Itself among them.
    tree, found = spatial.cKDTree(scaled), []
    for some in np.array_split(scaled[asked], len(asked) // _AT_ONCE + 1):
      tick()
      found.append(tree.query(some, k=count))
    distances, rows = map(np.concatenate, zip(*found, strict=True))
    is_itself = rows == asked[:, None]
    distances = np.where(is_itself, np.inf, distances)
    finite = distances[np.isfinite(distances)]
    is_near = distances <= np.median(finite)
    # Where the data are thin, the nearest state alone.
    nearest = np.argmin(distances, axis=1)
    is_near[np.arange(len(asked)), nearest] = True
    self._is_near = is_near
    self._actions = actions[rows]  # [Q, K, A]
    self._usual = float(np.percentile(self._distances(actions[asked]), _USUAL))

  def judge(self, actions: np.ndarray) -> Support:
    """How far actions [Q, A] in the states that were asked for are away."""
    outside = np.mean(self._distances(actions) > self._usual)
    return Support(float(outside), self._usual, len(actions))

  def _distances(self, actions: np.ndarray) -> np.ndarray:
    """From each action to the nearest one of a similar state, [Q]."""
    apart = np.linalg.norm(self._actions - actions[:, None], axis=-1)
    return np.min(np.where(self._is_near, apart, np.inf), axis=1)


def mixture_log_likelihood(
  actions: np.ndarray, behaviours: list[Actions], shares: np.ndarray
) -> float:
  """The mean log-likelihood of actions, drawn from a mixture of policies.

  Args:
    actions: [N, A].
    behaviours: what each of them does in these states.
    shares: of the data, one for each of them; they sum to 1.
  """
  each = np.stack([ratios.log_density(actions, b) for b in behaviours])
  weighted = each + np.log(shares)[:, None]
  return float(np.mean(np.logaddexp.reduce(weighted, axis=0)))
