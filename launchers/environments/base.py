"""The one form in which the lanes see an environment, whatever it is inside."""

import traceback
from typing import Any, NamedTuple, Protocol

import numpy as np

from datasets.tasks import Task
from datasets.types import EnvironmentSpec


class Environment(Protocol):
  """Actions in [-1, 1]^A, float32 vectors, one number of reward.

  The loop that calls it:

      environment.reset(seed, observation)
      for _ in range(episode_steps):
        reward, discount, last = environment.step(action, observation)
        if last:
          break

  `observation` [S] float32 is filled in place. A discount of 0 is a true
  termination; the last step of an episode that is merely cut has 1, as all
  before it. Whatever goes wrong is raised.

  Attributes:
    task: its canonical name, and what its numbers are.
    ends_itself: whether it may cut an episode, as by a time limit of its own;
      if not, only a true termination ends one early.
    is_seeded: whether `reset` has a way to hand it the seed.
  """

  task: Task
  ends_itself: bool
  is_seeded: bool

  @property
  def spec(self) -> EnvironmentSpec:
    """The widths of its observations and actions."""

  def reset(self, seed: int, observation: np.ndarray) -> None:
    """Starts the episode of `seed`, from 0 to 2**32 - 1."""

  def step(
    self, action: np.ndarray, observation: np.ndarray
  ) -> tuple[float, float, bool]:
    """Applies `action` [A]; returns reward, discount, and whether it ended."""

  def close(self) -> None:
    """Gives back what it holds."""


class Description(NamedTuple):
  """What a run must know of an environment without holding one.

  Attributes:
    task: see `Environment`.
    ends_itself: see `Environment`.
    is_seeded: see `Environment`.
  """

  task: Task
  ends_itself: bool
  is_seeded: bool

  @classmethod
  def of(cls, environment: Environment) -> 'Description':
    """Describes an environment."""
    return cls(environment.task, environment.ends_itself, environment.is_seeded)

  def to_json(self) -> dict[str, Any]:
    """The description as plain data; `from_json` reads it."""
    return {**self._asdict(), 'task': self.task.to_json()}

  @classmethod
  def from_json(cls, tree: dict[str, Any]) -> 'Description':
    """Reads what `to_json` wrote."""
    return cls(**{**tree, 'task': Task.from_json(tree['task'])})


class BrokenEnvironmentError(RuntimeError):
  """An environment does what it must not; the message says what and why."""


class RewardError(BrokenEnvironmentError):
  """A reward that is not one number."""


class NotFiniteError(BrokenEnvironmentError):
  """A number that is NaN or infinite."""


class WidthError(BrokenEnvironmentError):
  """An observation that is not what the specification says."""


class DiscountError(BrokenEnvironmentError):
  """A discount, or an end, that an episode must not have."""


def single_reward(reward: Any) -> float:
  """The reward of a step. Here alone is decided that it is one number.

  Raises:
    RewardError: it is something else.
  """
  shape = np.shape(reward)
  if reward is None or shape not in ((), (1,)):
    what = 'None' if reward is None else f'of shape {shape}'
    raise RewardError(
      f'The reward is {what}; one number per step is needed. Wrap the '
      'environment so that it gives the sum of its parts, weighted as you '
      'want them.'
    )
  return float(np.asarray(reward).reshape(()))


def check_finite(reward: float, observation: np.ndarray) -> None:
  """Refuses what nothing can learn from.

  Raises:
    NotFiniteError: a number is NaN or infinite; says which.
  """
  if not np.isfinite(reward):
    raise NotFiniteError(f'The reward is {reward}.')
  finite = np.isfinite(observation)
  if not finite.all():
    where = int(np.argmin(finite))
    raise NotFiniteError(
      f'Number {where} of the observation is {observation[where]}.'
    )


def reason_of(error: Exception) -> str:
  """Why an episode failed, for a person: the error and where it was raised."""
  is_ours = isinstance(error, BrokenEnvironmentError)
  text = str(error) if is_ours else f'{type(error).__name__}: {error}'
  frames = traceback.extract_tb(error.__traceback__)
  if isinstance(error, BrokenEnvironmentError) or not frames:
    return text
  frame = frames[-1]
  return f'{text} ({frame.filename}:{frame.lineno}, in {frame.name})'
