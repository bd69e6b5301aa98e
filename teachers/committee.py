"""Several teachers that are asked as one.

--teacher 'teachers.committee:make?teachers=a/expert.npz,b/expert.npz'

A member's own ? and & are written %3F and %26, as anywhere in a URL.

The action is the mean of the members' actions. A gradient's length is in the
units of whatever its teacher values, so each member's is clipped to norm 1, as
the learner does with a single teacher's, before the mean is taken: every member
has one vote, and a weak opinion stays weak.
"""

from collections.abc import Sequence
import hashlib
import json
from typing import Optional

import numpy as np

from teachers import checks, registry
from teachers.base import Kind, Task, Teacher


class Committee(Teacher):
  """The mean of its members, which all count alike.

  Attributes:
    members: the teachers.
  """

  def __init__(self, members: Sequence[Teacher]):
    """Checks that the members go together.

    Raises:
      ValueError: there are none, they differ in size or in task, or no kind of
        advice is given by all.
    """
    if not members:
      raise ValueError('A committee needs at least one member.')
    self.members = tuple(members)
    sizes = [(m.observation_size, m.action_size) for m in members]
    if len(set(sizes)) > 1:
      raise ValueError(
        'The members of a committee must teach one task; these take '
        f'observations and actions of different widths: {sizes}.'
      )
    if not self.gives:
      given = [sorted(m.gives) for m in members]
      raise ValueError(
        'The members of a committee must have a kind of advice in common; '
        f'these give {given}.'
      )
    identity = json.dumps([(m.name, m.version) for m in members])
    super().__init__(
      f'committee({", ".join(m.name for m in members)})',
      hashlib.sha256(identity.encode()).hexdigest(),
      members[0].observation_size,
      members[0].action_size,
      _task_of(members),
    )

  @property
  def gives(self) -> frozenset[Kind]:
    """What all members give."""
    return frozenset.intersection(*(m.gives for m in self.members))

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`."""
    if 'actions' not in self.gives:
      return super().actions(observations)
    return self._members_actions(observations).mean(axis=0)

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """See `Teacher.action_gradients`; the norm is at most 1."""
    if 'action_gradients' not in self.gives:
      return super().action_gradients(observations, actions)
    gradients = [
      _clip_norm(checks.ask_action_gradients(m, observations, actions))
      for m in self.members
    ]
    return np.mean(gradients, axis=0, dtype=np.float32)

  def disagreement(self, observations: np.ndarray) -> np.ndarray:
    """How far the members are from each other.

    Args:
      observations: [B, S] float32.

    Returns:
      [B] float32: the root mean square, over the members, of the distance of
      their actions from the mean action.

    Raises:
      NotGivenError: a member gives no actions.
    """
    actions = self._members_actions(observations)
    squares = np.square(actions - actions.mean(axis=0)).sum(axis=2)  # [M, B]
    return np.sqrt(squares.mean(axis=0))

  def _members_actions(self, observations: np.ndarray) -> np.ndarray:
    """[M, B, A]."""
    return np.stack([checks.ask_actions(m, observations) for m in self.members])


def make(task: Task, teachers: str) -> Committee:
  """A committee of teachers of one task.

  Args:
    task: what they teach.
    teachers: their addresses, with commas between them.

  Raises:
    FileNotFoundError, ValueError: a member is no teacher of the task.
  """
  # Whatever a person wrote in an address comes here.
  addresses = [part.strip() for part in str(teachers).split(',')]
  if not all(addresses):
    raise ValueError(
      f'teachers is {teachers!r}; give addresses with commas between them.'
    )
  return Committee([registry.load(address, task) for address in addresses])


def _task_of(members: Sequence[Teacher]) -> Optional[Task]:
  """The one that they teach, as the member says that knows most of it."""
  tasks = [m.task for m in members if m.task]
  if not tasks:
    return None
  known = max(tasks, key=lambda task: len(task.fields))
  for task in tasks:
    differences = task.differences(known)
    if differences:
      raise ValueError(
        'The members of a committee must teach one task; these differ in '
        f'{"; ".join(differences)}.'
      )
  return known


def _clip_norm(gradients: np.ndarray) -> np.ndarray:
  """[B, A] with no row longer than 1; scaled first, since squares overflow."""
  largest = np.abs(gradients).max(axis=1, keepdims=True)
  scaled = gradients / np.maximum(largest, 1)
  norms = np.linalg.norm(scaled, axis=1, keepdims=True)
  return scaled / np.maximum(norms, 1)
