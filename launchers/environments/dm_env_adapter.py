"""Any dm_env.Environment in the form that the lanes see."""

from collections.abc import Callable
from typing import Any, Optional

import dm_env
from dm_env import specs
import numpy as np

from datasets.types import EnvironmentSpec
from launchers.environments.base import DiscountError, single_reward
from launchers.environments.flatten import (
  Actions,
  Leaf,
  Observations,
  task_of,
  walk,
)


class DmEnvEnvironment:
  """See `launchers.environments.base.Environment`.

  The last step of an episode is a termination where its discount is 0, else
  the environment has cut it.
  """

  ends_itself = True

  def __init__(
    self,
    name: str,
    environment: dm_env.Environment,
    action_bound: Optional[float] = None,
    remake: Optional[Callable[[int], dm_env.Environment]] = None,
  ):
    """Reads the specifications.

    Args:
      name: the task's canonical name.
      environment: what is adapted; its own time limit is honoured.
      action_bound: stands in for bounds that are missing.
      remake: another one for a seed; None: this one is seeded in place, if
        there is a way.

    Raises:
      ValueError: its observations or actions are none that can be learned.
    """
    self._environment = environment
    self._remake = remake
    self._seed = None if remake else seed_function(environment)
    self.is_seeded = bool(self._seed or self._remake)
    observations = environment.observation_spec()
    self._observations = Observations(walk(observations, _leaf))
    actions = environment.action_spec()
    self._actions = Actions(actions, walk(actions, _leaf), action_bound)
    self.task = task_of(name, self._observations, self._actions)

  @property
  def spec(self) -> EnvironmentSpec:
    """See `Environment`."""
    return self.task.spec

  def reset(self, seed: int, observation: np.ndarray) -> None:
    """See `Environment`."""
    if self._seed:
      self._seed(seed)
    elif self._remake:
      self._environment.close()
      self._environment = self._remake(seed)
    self._observations.write(self._environment.reset().observation, observation)

  def step(
    self, action: np.ndarray, observation: np.ndarray
  ) -> tuple[float, float, bool]:
    """See `Environment`."""
    timestep = self._environment.step(self._actions.nest(action))
    if timestep.first():
      raise DiscountError(
        'A step began another episode, though the one before had no last '
        'step: give dm_env.termination or dm_env.truncation at its end.'
      )
    self._observations.write(timestep.observation, observation)
    reward, last = single_reward(timestep.reward), timestep.last()
    if last:
      return reward, 0.0 if timestep.discount == 0 else 1.0, True
    if timestep.discount != 1:
      raise DiscountError(
        f'The discount is {timestep.discount} amid an episode; it must be 1 '
        "there, for the agent's own discount is no part of the environment. "
        'Give 1, and 0 with the last step where it is a termination.'
      )
    return reward, 1.0, False

  def close(self) -> None:
    """See `Environment`."""
    self._environment.close()


def seed_function(
  environment: dm_env.Environment,
) -> Optional[Callable[[int], Any]]:
  """What seeds an environment in place; None: nothing does.

  Its own method `seed`, else the random state of its task, else its own.
  """
  seed = getattr(environment, 'seed', None)
  if callable(seed):
    return seed
  owners = (getattr(environment, 'task', None), environment)
  for owner in owners:
    for name in ('random', 'random_state'):
      state = getattr(owner, name, None)
      if isinstance(state, np.random.RandomState):
        return state.seed
  return None


def _leaf(path: tuple[Any, ...], spec: Any) -> Leaf:
  if not isinstance(spec, specs.Array):
    raise ValueError(
      f'Its specification of {"/".join(map(str, path)) or "an array"!r} is '
      f'{type(spec).__name__}; give dm_env.specs.Array or nested ones.'
    )
  bounds: tuple[Any, ...] = ()
  if isinstance(spec, specs.BoundedArray):
    bounds = spec.minimum, spec.maximum
  return Leaf(path, tuple(spec.shape), np.dtype(spec.dtype), *bounds)
