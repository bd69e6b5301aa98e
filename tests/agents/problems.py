"""Small networks and data for the agents' tests."""

import numpy as np
import tensorflow as tf
import tree

from agents.d4pg.config import D4PGConfig
from datasets.types import (
  Demonstration,
  EnvironmentSpec,
  Snippet,
  Transition,
)

SPEC = EnvironmentSpec(observation_size=3, action_size=2)
CONFIG = D4PGConfig(
  policy_layer_sizes=(16, 16),
  critic_layer_sizes=(16, 16),
  vmin=-10.0,
  vmax=10.0,
  num_atoms=11,
  policy_learning_rate=1e-3,
  critic_learning_rate=1e-3,
  batch_size=8,
  target_update_period=3,
)


def transitions(
  first_step: int, num_steps: int, batch_size: int = CONFIG.batch_size
) -> Transition:
  """Batches of noise, of which the n-th depends on n alone."""
  return _stack(
    [_transition(n, batch_size) for n in _steps(first_step, num_steps)]
  )


def demonstrations(
  first_step: int, num_steps: int, batch_size: int = CONFIG.batch_size
) -> Demonstration:
  """Batches of a smooth teacher, of which the n-th depends on n alone."""
  return _stack(
    [_demonstration(n, batch_size) for n in _steps(first_step, num_steps)]
  )


def snippets(first_step: int, num_steps: int, shape=(4, 3)) -> Snippet:
  """Batches of noise, [B, L] of `shape`; some end before their last step."""
  return _stack([_snippet(n, shape) for n in _steps(first_step, num_steps)])


def first(batches):
  """The first of some batches, as tensors."""
  return tree.map_structure(lambda x: tf.constant(x[0]), batches)


def variables(*modules):
  """The values of all variables, copied."""
  return [v.numpy() for module in modules for v in module.variables]


def assert_equal(first, second):
  """Two lists of arrays are the same, bit for bit."""
  assert len(first) == len(second)
  for a, b in zip(first, second, strict=True):
    np.testing.assert_array_equal(a, b)


def differ(first, second) -> bool:
  """Whether any array of one list differs from its twin."""
  return any((a != b).any() for a, b in zip(first, second, strict=True))


def _steps(first_step, num_steps):
  return range(first_step, first_step + num_steps)


def _transition(step, batch_size):
  rng = np.random.default_rng(step)
  normal = _normal(rng)
  return Transition(
    observation=normal(batch_size, SPEC.observation_size),
    action=np.tanh(normal(batch_size, SPEC.action_size)),
    reward=normal(batch_size),
    discount=rng.choice(np.array([0.0, 0.9], np.float32), batch_size),
    next_observation=normal(batch_size, SPEC.observation_size),
    teacher_action=np.tanh(normal(batch_size, SPEC.action_size)),
    anchor_action=np.tanh(normal(batch_size, SPEC.action_size)),
  )


def _snippet(step, shape):
  rng = np.random.default_rng(step)
  normal = _normal(rng)
  rows, length = shape
  valid = 1 + np.arange(rows) % length  # The number of true steps of each.
  mask = np.arange(length) < valid[:, None]
  states = normal(rows, length + 1, SPEC.observation_size)
  for row, count in zip(states, valid, strict=True):
    row[count:] = row[count]
  return Snippet(
    observation=states,
    action=np.tanh(normal(rows, length, SPEC.action_size)) * mask[..., None],
    reward=normal(rows, length) * mask,
    discount=rng.choice(np.array([0.0, 1.0], np.float32), shape) * mask,
    mask=mask,
  )


def _demonstration(step, batch_size):
  observation = _normal(np.random.default_rng(step))(
    batch_size, SPEC.observation_size
  )
  return Demonstration(observation, np.tanh(observation[:, :2]))


def _normal(rng):
  return lambda *shape: rng.standard_normal(shape, dtype=np.float32)


def _stack(batches):
  return type(batches[0])(
    *(np.stack(fields) for fields in zip(*batches, strict=True))
  )
