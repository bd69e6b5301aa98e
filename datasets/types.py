"""The data that travels round the circle: episodes, advice, transitions."""

from typing import Any, NamedTuple, Optional

import numpy as np

from datasets.schema import shortened
from datasets.tasks import EnvironmentSpec as EnvironmentSpec
from datasets.tasks import Task


class EpisodeId(NamedTuple):
  """Who made an episode. Two episodes of one identity are the same episode.

  Attributes:
    run: name of the run.
    cycle: 0 for demonstrations, k for data collected with policy k - 1.
    actor: of those who number their episodes apart; 0 where anyone may act
      any episode.
    episode: index of the episode within its cycle (over all actors), from 0.
  """

  run: str
  cycle: int
  actor: int
  episode: int

  def __str__(self) -> str:
    """For a person; whoever is not checked yet may hold anything."""
    run, cycle, actor, episode = map(shortened, self)
    return f'Episode {episode} of actor {actor} in cycle {cycle} of {run}'


class Annotation(NamedTuple):
  """A teacher's advice on one episode.

  Attributes:
    teacher: name of the teacher.
    version: the teacher's version, for instance a digest of its weights.
    actions: [T, A] float32, the action it would take at each observation.
  """

  teacher: str
  version: str
  actions: np.ndarray


class Episode(NamedTuple):
  """One whole episode of T steps.

  Attributes:
    identity: who made it.
    policy: digest of the one policy that acted in it.
    observations: [T + 1, S] float32; the last one is only bootstrapped from.
    actions: [T, A] float32, as executed, in [-1, 1].
    rewards: [T] float32.
    discounts: [T] float32, 0 after a true termination, else 1 (a time limit
      is no termination).
    annotation: a teacher's advice, or None.
    task: what it was acted in; None in files that were written before episodes
      said so.
  """

  identity: EpisodeId
  policy: str
  observations: np.ndarray
  actions: np.ndarray
  rewards: np.ndarray
  discounts: np.ndarray
  annotation: Optional[Annotation] = None
  task: Optional[Task] = None

  @property
  def num_steps(self) -> int:
    """T, the number of transitions."""
    return len(self.rewards)

  @property
  def episode_return(self) -> float:
    """The undiscounted sum of rewards."""
    return float(np.sum(self.rewards, dtype=np.float64))


class Transition(NamedTuple):
  """A batch of n-step transitions, [..., B, *] with any leading axes.

  Attributes:
    observation: [..., B, S] float32, the state at which the item starts.
    action: [..., B, A] float32.
    reward: [..., B] float32, sum_{i<n} (prod_{j<i} g d_{t+j}) r_{t+i}.
    discount: [..., B] float32, g^{n-1} prod_{j<n} d_{t+j}: one factor g is
      left to the learner.
    next_observation: [..., B, S] float32, n steps on (fewer at the end).
    teacher_action: [..., B, A] float32, what the teacher would do at
      `observation`; () where nobody asks.
    anchor_action: [..., B, A] float32, what the policy that the learner is
      pulled to does where it improves its own; () where it is not pulled.
  """

  observation: np.ndarray
  action: np.ndarray
  reward: np.ndarray
  discount: np.ndarray
  next_observation: np.ndarray
  teacher_action: Any = ()
  anchor_action: Any = ()


class Demonstration(NamedTuple):
  """A batch of states and the actions to imitate there.

  Attributes:
    observation: [..., B, S] float32.
    action: [..., B, A] float32, the annotated action where there is one, else
      the executed one.
  """

  observation: np.ndarray
  action: np.ndarray


class Snippet(NamedTuple):
  """A batch of L transitions in a row, of one episode each.

  Where the episode ends sooner, the rest is padding: its last observation, and
  zeros. A time limit is no termination: the last discount before is 1 there.

  Attributes:
    observation: [..., B, L + 1, S] float32.
    action: [..., B, L, A] float32, as executed.
    reward: [..., B, L] float32.
    discount: [..., B, L] float32, the environment's d, with no factor g.
    mask: [..., B, L] bool, False where it is padding; the first is none.
    teacher_action: [..., B, L, A] float32, what the teacher would do where each
      of them starts; () where nobody asks.
  """

  observation: np.ndarray
  action: np.ndarray
  reward: np.ndarray
  discount: np.ndarray
  mask: np.ndarray
  teacher_action: Any = ()


class Step(NamedTuple):
  """A batch of single transitions, and where in their episodes they stand.

  Attributes:
    observation: [..., B, S] float32.
    action: [..., B, A] float32, as executed.
    reward: [..., B] float32.
    discount: [..., B] float32, the environment's d, with no factor g.
    next_observation: [..., B, S] float32.
    episode: [..., B] int64, which episode of the memory, from 0.
    t: [..., B] int32, which step of the episode, from 0.
  """

  observation: np.ndarray
  action: np.ndarray
  reward: np.ndarray
  discount: np.ndarray
  next_observation: np.ndarray
  episode: np.ndarray
  t: np.ndarray
