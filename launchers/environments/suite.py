"""dm_control suite tasks with canonical actions and flat observations."""

import re
from typing import Optional

from dm_control import suite
from dm_control.rl import control
import numpy as np

from datasets.tasks import Field, Task
from launchers.environments.flatten import Leaf, canonical_bounds
from launchers.environments.units import UNITS

TASKS = (
  'cartpole-balance',
  'cartpole-swingup',
  'finger-spin',
  'cheetah-run',
  'walker-run',
  'pendulum-swingup',
)
"""The six tasks of the published study."""


def parse_task(task: str) -> tuple[str, str]:
  """Splits 'domain-task' or 'domain:task'.

  Raises:
    ValueError: the suite has no such task; names the closest domain's tasks.
  """
  pieces = re.split('[-:]', task, maxsplit=1)
  if len(pieces) == 2 and tuple(pieces) in suite.ALL_TASKS:
    return pieces[0], pieces[1]
  domain_tasks = suite.TASKS_BY_DOMAIN.get(pieces[0])
  known = (
    ', '.join(f'{pieces[0]}:{name}' for name in domain_tasks)
    if domain_tasks
    else ', '.join(sorted(suite.TASKS_BY_DOMAIN))
  )
  raise ValueError(
    f'{task!r} is no task of the dm_control suite. Known '
    f'{"tasks of that domain" if domain_tasks else "domains"}: {known}.'
  )


class Environment:
  """One suite task: seeded resets, actions in [-1, 1]^A, float32 vectors.

  The loop that calls it:

      environment.reset(seed, observation)
      for _ in range(episode_steps):
        reward, discount, last = environment.step(action, observation)

  `observation` is filled in place, since a step must not allocate. The task's
  own time limit is lifted: the caller cuts episodes, which is no termination.

  Attributes:
    task: its name, as domain-task, and what its numbers are.
    spec: the widths of its observations and actions.
  """

  ends_itself = False
  is_seeded = True

  def __init__(self, task: str, action_bound: Optional[float] = None):
    """Loads the task.

    Args:
      task: domain-task or domain:task.
      action_bound: stands in for bounds that its actions lack.

    Raises:
      ValueError: there is no such task, or its actions have no bounds.
    """
    domain, name = parse_task(task)
    self._environment = suite.load(
      domain, name, task_kwargs={'random': 0, 'time_limit': float('inf')}
    )
    action_spec = self._environment.action_spec()
    leaf = Leaf(
      (), action_spec.shape, action_spec.dtype,
      action_spec.minimum, action_spec.maximum,
    )  # fmt: skip
    low, high = canonical_bounds(leaf, action_bound)
    self._scale = (high - low) / 2
    self._middle = (high + low) / 2
    self._canonical = bool(np.all(low == -1) and np.all(high == 1))
    self._slices: list[tuple[str, slice]] = []
    fields = []
    width = 0
    for key, spec in self._environment.observation_spec().items():
      unit = UNITS.get((domain, key), '')
      field = Field(key, spec.shape, unit=unit)
      fields.append(field)
      self._slices.append((key, slice(width, width + field.size)))
      width += field.size
    bounds = tuple(map(float, low.ravel())), tuple(map(float, high.ravel()))
    action = Field('action', action_spec.shape, *bounds)
    self.task = Task(
      f'{domain}-{name}', width, action.size, tuple(fields), (action,)
    )
    self.spec = self.task.spec

  @property
  def wrapped(self) -> control.Environment:
    """dm_control's own, for who steps it in another way after a reset."""
    return self._environment

  def reset(self, seed: int, observation: np.ndarray) -> None:
    """Starts the episode of `seed`; writes [S] float32 to `observation`."""
    self._environment.task.random.seed(seed)
    timestep = self._environment.reset()
    self._write(timestep.observation, observation)

  def step(
    self, action: np.ndarray, observation: np.ndarray
  ) -> tuple[float, float, bool]:
    """Applies `action` [A]; returns reward, discount, and whether it ended."""
    if not self._canonical:
      action = self._middle + self._scale * action
    timestep = self._environment.step(action)
    self._write(timestep.observation, observation)
    return timestep.reward, timestep.discount, timestep.last()

  def close(self) -> None:
    """Gives back what MuJoCo holds."""
    self._environment.close()

  def _write(self, values: dict[str, np.ndarray], out: np.ndarray) -> None:
    for key, where in self._slices:
      part = values[key]
      out[where] = part if part.ndim == 1 else part.ravel()
