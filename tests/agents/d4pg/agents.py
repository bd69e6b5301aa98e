"""Small D4PG agents, for the tests of their objectives."""

import numpy as np
import tensorflow as tf

from agents import registry
from agents.config import ObjectiveConfig
from agents.d4pg.networks import D4PGNetworks
from agents.d4pg.update import D4PG
from agents.parts import networks as networks_lib
from tests.agents import problems
from tests.agents.problems import CONFIG, SPEC

TOTAL_STEPS = 10


def make_networks(config, spec, seed) -> D4PGNetworks:
  """Networks of D4PG, with all that only D4PG has."""
  networks = registry.make_networks(config, spec, seed)
  assert isinstance(networks, D4PGNetworks)
  return networks


def make_agent(
  kind='none', config=CONFIG, total_steps=TOTAL_STEPS, teacher=None, **objective
):
  """An agent whose policies all differ from each other."""
  networks = make_networks(config, SPEC, seed=1)
  rng = np.random.default_rng(0)
  for policy in (
    networks.policy,
    networks.initial_policy,
    networks.previous_policy,
  ):
    policy.head.w.assign(rng.normal(0, 0.3, policy.head.w.shape))
  if kind == 'teacher_grad' and teacher is None:
    teacher = other_critic(seed=2)
  gradient = teacher and (lambda s, a: teacher.value_and_gradient(s, a)[1])
  return D4PG(
    config, networks, ObjectiveConfig(kind, **objective), total_steps, gradient
  )


def other_critic(seed):
  """A critic with random weights."""
  critic = networks_lib.make_critic(SPEC, (16, 16), -10.0, 10.0, 11)
  rng = np.random.default_rng(seed)
  for v in critic.variables:
    v.assign(rng.normal(0, 0.5, v.shape))
  return critic


def update(agent, step=0, seed=0):
  batch = anchored(agent, problems.first(problems.transitions(seed, 1)))
  return agent.update(batch, tf.constant(step, tf.int64))


def anchored(agent, batch):
  """The batch as a run gives it: with what the agent's own anchor does."""
  if isinstance(agent, D4PG) and agent.objective.anchor:
    batch = batch._replace(anchor_action=agent.anchor_actions(batch))
  return batch
