"""Small agents and data, for the tests beside."""

from typing import Any

import numpy as np
import tensorflow as tf

from agents import registry
from agents.bear_mmd.update import first_transitions
from agents.config import Kind, ObjectiveConfig
from tests.agents import problems
from tests.agents.family import make_agent

BATCH = problems.first(problems.snippets(0, 1, shape=(12, 1)))
BATCH = BATCH._replace(teacher_action=tf.tanh(BATCH.action + 0.3))
FIRST: Any = first_transitions(BATCH, advised=True)
STEP = tf.constant(0, tf.int64)
NOW: dict[str, Any] = {'warm_up_steps': 0}


def sample(first_step, num_steps):
  batch = problems.snippets(first_step, num_steps)
  return batch._replace(teacher_action=np.tanh(batch.action + 0.3))


def advised(objective: Kind, **options: Any) -> Any:
  """An agent with an objective, whose frozen policies differ from its own."""
  plain = make_agent('bear_mmd', **{**NOW, **options})
  rng = np.random.default_rng(3)
  nets = plain.networks
  for policy in (nets.initial_policy, nets.previous_policy):
    last = policy.layers[-1].w
    last.assign(rng.normal(0, 0.3, last.shape))
  return registry.make_agent(
    plain.config, nets, ObjectiveConfig(objective), 10,
    lambda observation, action: 0.3 - action,
  )  # fmt: skip


def outputs(policy, state):
  """The mean and the deviation of raw actions."""
  x = state
  for layer in policy.layers[:-1]:
    x = tf.nn.relu(layer(x))
  mean, log_std = np.split(policy.layers[-1](x).numpy(), 2, axis=-1)
  return mean, np.exp(np.clip(log_std, -20, 2))
