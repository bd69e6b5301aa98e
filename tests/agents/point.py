"""Agents that learn from a log of those who tried to reach a goal."""

from typing import Any

import numpy as np

from agents import registry
from agents.config import ObjectiveConfig
from agents.deployed.policy import Policy
from agents.learner import Learner
from datasets.memory import Memory
from datasets.types import Episode
from launchers.nodes.batches import sampler_for
from studies import point
from tests.agents.family import config_of


def train(
  kind: str, episodes: list[Episode], steps: int, seed: int = 0, **options: Any
) -> Any:
  """The networks of an agent after so many updates on a log."""
  config = config_of(kind, **options)
  memory = Memory(config.n_step, config.discount, with_labels=True)
  memory.extend(episodes)
  networks = registry.make_networks(config, point.SPEC, seed)
  agent = registry.make_agent(config, networks, ObjectiveConfig('none'), steps)
  Learner(agent, sampler_for(config, agent, memory, seed), 100).run(steps)
  return networks


def return_of(policy: Policy, num_episodes: int = 50) -> float:
  """The mean return of a policy's noise-free episodes, all side by side."""
  states = point.start(np.random.default_rng(10_000), num_episodes)
  total = np.zeros(num_episodes)
  for _ in range(point.STEPS):
    states = point.move(states, policy(states))
    total += point.reward_of(states)
  return float(total.mean())
