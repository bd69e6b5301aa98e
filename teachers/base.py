"""What a teacher is.

A whole one:

  class Lazy(Teacher):
    def actions(self, observations):
      return np.zeros((len(observations), self.action_size), np.float32)

  def make(task):  # --teacher my_module:make
    return Lazy('lazy', '1', task.observation_size, task.action_size)

`Task`, which the factory gets, says what each number of an observation is:
`python -m launchers.describe TASK` prints it.
"""

from typing import Any, Literal, Optional

import numpy as np

from datasets.tasks import Task

Kind = Literal['actions', 'action_gradients']
KINDS: tuple[Kind, ...] = ('actions', 'action_gradients')
"""The kinds of advice, named as the methods that give them."""


class NotGivenError(NotImplementedError):
  """A teacher was asked for advice of a kind that it does not give."""


class Teacher:
  """A queryable source of knowledge about one task.

  A subclass overrides `actions`, `action_gradients` or both: what it overrides
  is what it gives. Both may be called from several threads at once, and must
  answer each row by itself, the same at every time: advice is stored and never
  asked for again while the version stays.

  Attributes:
    name: what a person calls it, for instance 'cartpole-swingup/expert'.
    version: changes whenever its advice may change.
    observation_size: S.
    action_size: A.
    task: what it teaches; None if it does not say. Then it may be asked to
      teach any task of these widths.
  """

  def __init__(
    self,
    name: str,
    version: str,
    observation_size: int,
    action_size: int,
    task: Optional[Task] = None,
  ):
    if not name or not version:
      raise ValueError(
        f'A teacher needs a name and a version; these are {name!r} and '
        f'{version!r}.'
      )
    if observation_size < 1 or action_size < 1:
      raise ValueError(
        f'The teacher {name} has observation_size={observation_size} and '
        f'action_size={action_size}; both must be at least 1.'
      )
    if task is not None and task.spec != (observation_size, action_size):
      raise ValueError(
        f'The teacher {name} takes observations and actions of widths '
        f'{(observation_size, action_size)}, but its task {task.name} has '
        f'{tuple(task.spec)}.'
      )
    self.name = name
    self.version = version
    self.observation_size = observation_size
    self.action_size = action_size
    self.task = task

  @property
  def gives(self) -> frozenset[Kind]:
    """The kinds of advice that may be asked for."""
    return frozenset(
      kind
      for kind in KINDS
      if getattr(type(self), kind) is not getattr(Teacher, kind)
    )

  @property
  def reaches(self) -> frozenset[str]:
    """The services, as host:port, that it or a teacher that it holds asks."""
    return _reached_by(self)

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """What it would do.

    Args:
      observations: [B, S] float32.

    Returns:
      [B, A] float32 in [-1, 1].

    Raises:
      NotGivenError: it does not say.
    """
    del observations
    raise NotGivenError(f'The teacher {self.name} gives no actions.')

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """The direction in which each action should move to become better.

    Args:
      observations: [B, S] float32.
      actions: [B, A] float32 in [-1, 1].

    Returns:
      [B, A] float32, directions of ascent of what the teacher values. The
      learner bounds their length, so that any scale will do.

    Raises:
      NotGivenError: it does not say.
    """
    del observations, actions
    raise NotGivenError(f'The teacher {self.name} gives no action gradients.')


def _reached_by(teacher: Teacher) -> frozenset[str]:
  """What the teachers reach that it holds, also in lists and the like."""
  found: frozenset[str] = frozenset()
  left: list[Any] = list(vars(teacher).values())
  seen = {id(teacher)}  # They may hold each other.
  while left:
    part = left.pop()
    if id(part) in seen:
      continue
    seen.add(id(part))
    if isinstance(part, Teacher):
      if type(part).reaches is not Teacher.reaches:
        found |= part.reaches
      else:
        left += vars(part).values()
    elif isinstance(part, (list, tuple, set, frozenset)):
      left += part
    elif isinstance(part, dict):
      left += part.values()
  return found
