"""What an episode must be before anything learns from it."""

from typing import Optional

import numpy as np

from datasets.tasks import Task
from datasets.types import EnvironmentSpec, Episode, EpisodeId


class EpisodeRefused(ValueError):
  """An episode that nothing may learn from; the message says why."""


def check_episode(
  episode: Episode,
  spec: EnvironmentSpec,
  expected_policy: Optional[str] = None,
  num_steps: Optional[int] = None,
  task: Optional[Task] = None,
) -> None:
  """Refuses an episode that is not what it should be.

  Args:
    episode: the episode.
    spec: the sizes of the task.
    expected_policy: digest of the policy that must have acted, or None where
      any will do.
    num_steps: the length that it must have, or None where any will do.
    task: what it must say that it was acted in, or None where any will do. Old
      files do not say: for what comes out of files there is `check_task`.

  Raises:
    EpisodeRefused: it is none of this task, this policy, this length, or it
      holds what no episode may hold.
  """
  try:
    _check_identity(episode.identity)
    _check_policy(episode.policy, expected_policy)
    if task is not None and episode.task is None:
      raise EpisodeRefused(
        f'it says of no task that it was acted in it; this is {task.name}. '
        'Give the task of the environment that it was acted in.'
      )
    _check_task(episode, task)
    length = _check_length(episode, num_steps)
    arrays = {
      'observations': (length + 1, spec.observation_size),
      'actions': (length, spec.action_size),
      'rewards': (length,),
      'discounts': (length,),
    }
    for name, shape in arrays.items():
      _check_array(name, getattr(episode, name), shape)
    _check_actions('actions', episode.actions)
    _check_discounts(episode.discounts)
    _check_annotation(episode, (length, spec.action_size))
  except EpisodeRefused as error:
    raise EpisodeRefused(f'{episode.identity}: {error}') from None


def check_from_file(episode: Episode, task: Task) -> None:
  """Refuses what comes out of a file and is not sound, or of another task.

  Raises:
    EpisodeRefused: says why.
  """
  check_task(episode, task)  # Which says more than other widths do.
  check_episode(episode, task.spec)


class OneTask:
  """A check that episodes are sound, and all of the task of the first.

  Attributes:
    task: of them all; None while none has said.
    spec: the sizes of the task; None before the first episode.
  """

  def __init__(self, task: Optional[Task] = None):
    """Begins with the task that they must be of, if it is known."""
    self.task = task
    self.spec: Optional[EnvironmentSpec] = None

  def __call__(self, episode: Episode) -> None:
    """Refuses an episode that does not pass.

    Raises:
      EpisodeRefused: says why.
    """
    shapes = np.shape(episode.observations), np.shape(episode.actions)
    if [len(shape) for shape in shapes] != [2, 2]:
      raise EpisodeRefused(
        f'{episode.identity}: observations and actions have shapes '
        f'{shapes}; they must be [T + 1, S] and [T, A].'
      )
    spec = self.spec or EnvironmentSpec(shapes[0][1], shapes[1][1])
    task = self.task or episode.task
    check_task(episode, task)  # Which says more than other widths do.
    check_episode(episode, spec)
    self.spec, self.task = spec, task


def check_task(episode: Episode, task: Optional[Task]) -> None:
  """Refuses an episode of another task.

  One that does not say its task passes: files are older than that. So this is
  for what comes out of files, and `check_episode` for what is being collected.

  Args:
    episode: the episode.
    task: what it must have been acted in; None: any will do.

  Raises:
    EpisodeRefused: names the difference.
  """
  try:
    _check_task(episode, task)
  except EpisodeRefused as error:
    raise EpisodeRefused(f'{episode.identity}: {error}') from None


def check_identity(identity: EpisodeId) -> None:
  """Refuses an identity that cannot name an episode."""
  try:
    _check_identity(identity)
  except EpisodeRefused as error:
    raise EpisodeRefused(f'{identity}: {error}') from None


def _check_identity(identity: EpisodeId) -> None:
  if not isinstance(identity, EpisodeId):
    raise EpisodeRefused('its identity is no EpisodeId; make it one.')
  if not isinstance(identity.run, str) or not identity.run:
    raise EpisodeRefused('its run has no name; give the name of the run.')
  for name in ('cycle', 'actor', 'episode'):
    value = getattr(identity, name)
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
      raise EpisodeRefused(f'its {name} is {value!r}; give an integer.')
    if value < 0:
      raise EpisodeRefused(f'its {name} is {value}; count from 0.')


def _check_policy(policy: str, expected: Optional[str]) -> None:
  if not isinstance(policy, str) or not policy:
    raise EpisodeRefused(
      f'its policy is {policy!r}; give the digest of the policy that acted.'
    )
  if expected is not None and policy != expected:
    raise EpisodeRefused(
      f'it was made by policy {policy}, but this cycle collects with policy '
      f'{expected}; restart the actor so that it loads that one.'
    )


def _check_task(episode: Episode, task: Optional[Task]) -> None:
  if task is None or episode.task is None:
    return
  differences = episode.task.differences(task)
  if differences:
    raise EpisodeRefused(
      f'it is of another task than {task.name} ({"; ".join(differences)}); '
      'use episodes of this task.'
    )


def _check_length(episode: Episode, expected: Optional[int]) -> int:
  if np.ndim(episode.rewards) != 1:
    raise EpisodeRefused(
      f'rewards have shape {np.shape(episode.rewards)}; they must be [T].'
    )
  length = len(episode.rewards)
  if length < 1:
    raise EpisodeRefused('it has no step; send whole episodes only.')
  if expected is not None and length != expected:
    raise EpisodeRefused(
      f'it has {length} steps, but must have {expected}; send whole episodes '
      'only, of the environment that the run was configured with.'
    )
  return length


def _check_array(name: str, value: np.ndarray, shape: tuple[int, ...]) -> None:
  if not isinstance(value, np.ndarray) or value.dtype != np.float32:
    kind = getattr(value, 'dtype', type(value).__name__)
    raise EpisodeRefused(f'{name} are {kind}; they must be float32 arrays.')
  if value.shape != shape:
    raise EpisodeRefused(
      f'{name} have shape {value.shape}, but must have {shape}; check the '
      'wrappers of the environment against the task.'
    )
  finite = np.isfinite(value)
  if not finite.all():
    where = tuple(int(i) for i in np.argwhere(~finite)[0])
    raise EpisodeRefused(
      f'{name}{list(where)} is {value[where]}; every value must be finite. '
      'The simulation has probably diverged: collect the episode again.'
    )


def _check_actions(name: str, actions: np.ndarray) -> None:
  beyond = np.abs(actions) > 1
  if beyond.any():
    where = tuple(int(i) for i in np.argwhere(beyond)[0])
    raise EpisodeRefused(
      f'{name}{list(where)} is {actions[where]}, beyond [-1, 1]; clip what '
      'is executed and record it after clipping.'
    )


def _check_discounts(discounts: np.ndarray) -> None:
  wrong = (discounts != 0) & (discounts != 1)
  if wrong.any():
    step = int(np.argmax(wrong))
    raise EpisodeRefused(
      f'discounts[{step}] is {discounts[step]}; it must be 0 after a true '
      "termination, else 1. The learner's own discount is no part of it."
    )
  if (discounts[:-1] == 0).any():
    step = int(np.argmax(discounts == 0))
    raise EpisodeRefused(
      f'discounts[{step}] is 0 but {len(discounts) - 1 - step} steps follow; '
      'a termination ends an episode: begin another one there.'
    )


def _check_annotation(episode: Episode, shape: tuple[int, int]) -> None:
  if episode.annotation is None:
    return
  for name in ('teacher', 'version'):
    value = getattr(episode.annotation, name)
    if not isinstance(value, str) or not value:
      raise EpisodeRefused(
        f"its annotation's {name} is {value!r}; name who gave the advice."
      )
  actions = episode.annotation.actions
  _check_array('annotated actions', actions, shape)
  _check_actions('annotated actions', actions)
