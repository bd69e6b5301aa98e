"""Our Learner with any agent, fed by our Memory of noise."""

from collections.abc import Callable
from typing import Any

import numpy as np

from agents import registry
from agents.config import AgentConfig, ObjectiveConfig
from agents.learner import Learner
from benchmarks import noise
from datasets.memory import Memory
from datasets.types import EnvironmentSpec, Episode, EpisodeId
from launchers.nodes.batches import sampler_for


def make(
  config: AgentConfig, objective: ObjectiveConfig
) -> Callable[[int], Any]:
  """What does so many updates of an agent; it begins with the first."""
  memory = Memory(config.n_step, config.discount)
  memory.extend(
    Episode(
      EpisodeId('benchmark', 1, 0, i),
      'noise',
      observations,
      actions,
      rewards,
      np.ones_like(rewards),
    )
    for i, (observations, actions, rewards) in enumerate(noise.episodes())
  )
  spec = EnvironmentSpec(noise.OBSERVATION_SIZE, noise.ACTION_SIZE)
  networks = registry.make_networks(config, spec, seed=0)
  agent = registry.make_agent(config, networks, objective, 100_000)
  return Learner(agent, sampler_for(config, agent, memory, seed=0)).run
