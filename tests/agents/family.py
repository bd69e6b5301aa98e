"""Small agents of logs, for the tests of each."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from agents import base, registry
from agents.config import AgentConfig, ObjectiveConfig
from tests.agents import problems
from tests.agents.contract import AgentContract

SMALL = {
  'policy_layer_sizes': (16, 16),
  'critic_layer_sizes': (16, 16),
  'vae_layer_sizes': (16, 16),
  'perturbation_layer_sizes': (16, 16),
  'learning_rate': 1e-3,
  'dual_learning_rate': 1e-2,
  'num_samples': 5,
  'num_candidates': 4,
  'num_acting_candidates': 6,
  'num_acting_samples': 6,
}


def config_of(kind: str, **options: Any) -> AgentConfig:
  """The agent's configuration, small, with these options."""
  make = registry.find(kind).config
  names = {field.name for field in dataclasses.fields(make)}
  small = {k: v for k, v in SMALL.items() if k in names}
  return make(**{**small, **options})


def make_agent(kind: str, seed: int = 1, **options: Any) -> Any:
  """An agent whose networks are not nearly zero, as those at a start are."""
  config = config_of(kind, **options)
  networks = registry.make_networks(config, problems.SPEC, seed)
  rng = np.random.default_rng(seed)
  for module in networks.submodules:
    for variable in module.trainable_variables:
      if variable.shape.rank == 2 and variable.shape[0] == 16:
        variable.assign(rng.normal(0, 0.3, variable.shape))
  return registry.make_agent(config, networks, ObjectiveConfig('none'), 10)


def update(agent: base.Agent, batch: Any, step: int = 0) -> dict[str, float]:
  """One update; its metrics."""
  metrics = agent.update(batch, tf.constant(step, tf.int64))
  return {name: float(value) for name, value in metrics.items()}


class OfSnippets(AgentContract):
  """The contract for an agent that learns from snippets."""

  kind: str
  options: ClassVar[dict[str, Any]] = {}

  def make_agent(self):
    return make_agent(self.kind, target_update_period=3, **self.options)

  def sample(self, first_step, num_steps):
    return problems.snippets(first_step, num_steps)

  def trained(self, agent):
    nets = agent.networks
    return [nets.policy, nets.critic, *nets.priors]

  def frozen(self, agent):
    return []
