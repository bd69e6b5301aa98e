"""A point in the plane that is to reach a goal, and logs of those who tried.

It starts near the middle; s' = s + 0.1 a, for 20 steps, and the reward is
exp(-4 d^2) of the distance to the goal after a step.

  python -m launchers.check_environment --task studies.point:make
"""

from pathlib import Path
from typing import Any, Optional

import gymnasium
from gymnasium import spaces
import numpy as np

from datasets.store import EpisodeStore
from datasets.types import EnvironmentSpec, Episode, EpisodeId

SPEC = EnvironmentSpec(2, 2)
GOAL = np.array([1.0, 0.5], np.float32)
WRONG = np.array([-0.8, 0.8], np.float32)
STEPS = 20


class Point(gymnasium.Env):
  """The task, an episode at a time."""

  def __init__(self) -> None:
    self.observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

  def reset(
    self, *, seed: Optional[int] = None, options: Optional[dict] = None
  ) -> tuple[np.ndarray, dict[str, Any]]:
    """Begins near the middle."""
    super().reset(seed=seed)
    self._state = start(self.np_random, 1)[0]
    self._steps = 0
    return self._state, {}

  def step(
    self, action: np.ndarray
  ) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
    """Moves; the end is a limit of time, and no termination."""
    self._state = move(self._state, np.asarray(action, np.float32))
    self._steps += 1
    reward = float(reward_of(self._state))
    return self._state, reward, False, self._steps >= STEPS, {}


def make() -> Point:
  """The environment, for --task studies.point:make."""
  return Point()


def log(
  num_episodes: int,
  right: float,
  noise: float = 0.3,
  astray: Optional[np.ndarray] = WRONG,
  seed: int = 0,
) -> list[Episode]:
  """Episodes of which a share was heading for the goal, the rest elsewhere.

  Args:
    num_episodes: of the log.
    right: share of them that head for the goal.
    noise: of the actions, which are executed and logged.
    astray: where the rest head; None: anywhere, each of them elsewhere.
    seed: of everything.
  """
  rng = np.random.default_rng(seed)
  episodes = []
  for i in range(num_episodes):
    anywhere = rng.uniform(-1.5, 1.5, 2) if astray is None else astray
    towards = GOAL if rng.random() < right else anywhere
    states, actions = [start(rng, 1)[0]], []
    for _ in range(STEPS):
      action = 5 * (towards - states[-1]) + rng.normal(0, noise, 2)
      actions.append(np.clip(action, -1, 1).astype(np.float32))
      states.append(move(states[-1], actions[-1]))
    observations = np.array(states)
    rewards = reward_of(observations[1:])
    episodes.append(
      Episode(
        EpisodeId('point', 0, 0, i), 'log', observations, np.array(actions),
        rewards, np.ones_like(rewards),
      )
    )  # fmt: skip
  return episodes


def write_log(
  directory: Path,
  task: str,
  seed: int,
  episodes: int = 500,
  right: float = 0.2,
  noise: float = 0.3,
) -> None:
  """Makes a study's log: some head for the goal, the rest for a wrong one."""
  del task
  store = EpisodeStore(directory)
  for episode in log(episodes, right, noise, seed=seed):
    store.commit(episode)


def start(rng: np.random.Generator, count: int) -> np.ndarray:
  """States near the middle, [count, 2]."""
  return rng.normal(0, 0.05, (count, 2)).astype(np.float32)


def move(states: np.ndarray, actions: np.ndarray) -> np.ndarray:
  """The states after a step, [..., 2]."""
  return states + np.float32(0.1) * actions


def reward_of(states: np.ndarray) -> np.ndarray:
  """Of being at states, [..., 2]."""
  square = np.square(states - GOAL).sum(axis=-1)
  return np.exp(-4 * square).astype(np.float32)
