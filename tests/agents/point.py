"""A point in the plane that is to reach a goal, and logs of those who tried.

It starts near the middle; s' = s + 0.1 a, for 20 steps, and the reward is
exp(-4 d^2) of the distance to the goal after a step.
"""

from typing import Any, Optional

import numpy as np

from agents import registry
from agents.config import ObjectiveConfig
from agents.deployed.policy import Policy
from agents.learner import Learner
from datasets.memory import Memory
from datasets.types import EnvironmentSpec, Episode, EpisodeId
from launchers.nodes.batches import sampler_for
from tests.agents.family import config_of

SPEC = EnvironmentSpec(2, 2)
GOAL = np.array([1.0, 0.5], np.float32)
WRONG = np.array([-0.8, 0.8], np.float32)
STEPS = 20


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
    states, actions = [_start(rng, 1)[0]], []
    for _ in range(STEPS):
      action = 5 * (towards - states[-1]) + rng.normal(0, noise, 2)
      actions.append(np.clip(action, -1, 1).astype(np.float32))
      states.append(states[-1] + np.float32(0.1) * actions[-1])
    observations = np.array(states)
    rewards = _reward(observations[1:])
    episodes.append(
      Episode(
        EpisodeId('point', 0, 0, i), 'log', observations, np.array(actions),
        rewards, np.ones_like(rewards),
      )
    )  # fmt: skip
  return episodes


def train(
  kind: str, episodes: list[Episode], steps: int, seed: int = 0, **options: Any
) -> Any:
  """The networks of an agent after so many updates on a log."""
  config = config_of(kind, **options)
  memory = Memory(config.n_step, config.discount, with_labels=True)
  memory.extend(episodes)
  networks = registry.make_networks(config, SPEC, seed)
  agent = registry.make_agent(config, networks, ObjectiveConfig('none'), steps)
  Learner(agent, sampler_for(config, agent, memory, seed), 100).run(steps)
  return networks


def return_of(policy: Policy, num_episodes: int = 50) -> float:
  """The mean return of a policy's noise-free episodes, all side by side."""
  states = _start(np.random.default_rng(10_000), num_episodes)
  total = np.zeros(num_episodes)
  for _ in range(STEPS):
    states = states + np.float32(0.1) * policy(states)
    total += _reward(states)
  return float(total.mean())


def _start(rng: np.random.Generator, count: int) -> np.ndarray:
  return rng.normal(0, 0.05, (count, 2)).astype(np.float32)


def _reward(states: np.ndarray) -> np.ndarray:
  square = np.square(states - GOAL).sum(axis=-1)
  return np.exp(-4 * square).astype(np.float32)
