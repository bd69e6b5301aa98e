"""Any gymnasium.Env in the form that the lanes see."""

from typing import Any, Optional

import gymnasium
from gymnasium import spaces
import numpy as np

from datasets.types import EnvironmentSpec
from launchers.environments.base import BrokenEnvironmentError, single_reward
from launchers.environments.flatten import (
  Actions,
  Leaf,
  Observations,
  task_of,
  walk,
)

_ANSWER = 5  # Values of a step.


class GymnasiumEnvironment:
  """See `launchers.environments.base.Environment`.

  `terminated` is a termination; `truncated` alone means that the environment
  has cut the episode.
  """

  ends_itself = True
  is_seeded = True

  def __init__(
    self,
    name: str,
    environment: 'gymnasium.Env[Any, Any]',
    action_bound: Optional[float] = None,
  ):
    """Reads the spaces.

    Args:
      name: the task's canonical name.
      environment: what is adapted; its own time limit is honoured.
      action_bound: stands in for bounds that are missing.

    Raises:
      ValueError: its observations or actions are none that can be learned.
    """
    self._environment = environment
    observations = _tree(environment.observation_space)
    self._observations = Observations(walk(observations, _leaf))
    actions = _tree(environment.action_space)
    self._actions = Actions(actions, walk(actions, _leaf), action_bound)
    self.task = task_of(name, self._observations, self._actions)

  @property
  def spec(self) -> EnvironmentSpec:
    """See `Environment`."""
    return self.task.spec

  def reset(self, seed: int, observation: np.ndarray) -> None:
    """See `Environment`."""
    self._observations.write(self._environment.reset(seed=seed)[0], observation)

  def step(
    self, action: np.ndarray, observation: np.ndarray
  ) -> tuple[float, float, bool]:
    """See `Environment`."""
    answer = self._environment.step(self._actions.nest(action))
    if len(answer) != _ANSWER:
      raise BrokenEnvironmentError(
        f'step() gave {len(answer)} values; since version 0.26 it gives '
        f'{_ANSWER}: observation, reward, terminated, truncated, info.'
      )
    values, reward, terminated, truncated, _ = answer
    self._observations.write(values, observation)
    discount = 0.0 if terminated else 1.0
    return single_reward(reward), discount, bool(terminated or truncated)

  def close(self) -> None:
    """See `Environment`."""
    self._environment.close()


def _tree(space: Any) -> Any:
  """Nested spaces as plain dicts and tuples."""
  if isinstance(space, spaces.Dict):
    return {key: _tree(part) for key, part in space.spaces.items()}
  if isinstance(space, spaces.Tuple):
    return tuple(map(_tree, space.spaces))
  return space


def _leaf(path: tuple[Any, ...], space: Any) -> Leaf:
  if isinstance(space, spaces.Box):
    return Leaf(path, space.shape, space.dtype, space.low, space.high)
  if isinstance(space, spaces.Discrete):
    last = space.start + space.n - 1
    return Leaf(path, (), np.dtype(np.int64), space.start, last)
  if isinstance(space, spaces.MultiDiscrete):
    low = space.start
    return Leaf(path, space.shape, space.dtype, low, low + space.nvec - 1)
  if isinstance(space, spaces.MultiBinary):
    return Leaf(path, space.shape, np.dtype(np.int8), 0, 1)
  raise ValueError(
    f'Its space {"/".join(map(str, path)) or "as a whole"!r} is '
    f'{type(space).__name__}, which has no fixed number of numbers. Use Box, '
    'Discrete, MultiDiscrete, MultiBinary, and Dict or Tuple of them.'
  )
