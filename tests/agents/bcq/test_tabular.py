"""Invariant C-I8: of tables in place of networks, BCQ's target is BCQL's.

Its fixed point on a log of a 5 x 5 grid is what value iteration finds on the
empirical MDP of that log, and Q-learning's is not.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from datasets.types import Transition
from tests.agents.family import make_agent

SIDE, DISCOUNT, ITERATIONS = 5, 0.9, 400
MOVES = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
GOAL = SIDE * SIDE - 1
UNSEEN = 10.0  # What the tables say of what was never tried; nothing earns it.


def place(state):
  return np.stack(np.divmod(state, SIDE), axis=-1)


def index(places):
  x, y = np.moveaxis(np.round(places).astype(int), -1, 0)
  return SIDE * x + y


def make_log():
  """A coherent log: of each state but the goal, some of its four moves."""
  rng = np.random.default_rng(0)
  counts = rng.integers(1, 5, GOAL)
  states = np.repeat(np.arange(GOAL), counts)
  moves = np.concatenate([rng.permutation(4)[:count] for count in counts])
  following = index(np.clip(place(states) + MOVES[moves], 0, SIDE - 1))
  rewards = np.where(following == GOAL, 1.0, 0.1 * rng.random(len(states)))
  return states, moves, rewards, following


def value_iteration(states, moves, rewards, following):
  """The best values that the log can support, at its pairs, [N]."""
  table = np.full((GOAL + 1, 4), -np.inf)
  table[states, moves] = 0.0
  table[GOAL] = 0.0
  for _ in range(ITERATIONS):
    best = table.max(axis=1)
    best[GOAL] = 0.0
    table[states, moves] = rewards + DISCOUNT * best[following]
  return table[states, moves]


class Tables:
  """A generator of the moves of a list, and a critic, both by looking up."""

  def __init__(self, allowed):
    self.allowed = allowed
    self.values = np.full((GOAL + 1, 4), UNSEEN)

  def generate(self, observation, latent):
    places, z = observation.numpy(), latent.numpy()[:, 0]
    chosen = [
      some[min(int((u + 0.5) * len(some)), len(some) - 1)]
      for some, u in zip(
        (self.allowed[state] for state in index(places)), z, strict=True
      )
    ]
    return tf.constant(np.arctanh(0.5 * MOVES[chosen]))

  def evaluate(self, observation, action):
    distances = np.abs(action.numpy()[:, None] - 0.5 * MOVES).sum(axis=-1)
    rows, columns = index(observation.numpy()), distances.argmin(axis=1)
    return tf.constant(self.values[rows, columns][:, None])


def fixed_point(log, allowed):
  """Of the agent's own target, iterated at the pairs of a log."""
  states, moves, rewards, following = log
  tables = Tables(allowed)
  agent = make_agent('bcq', discount=DISCOUNT, bound=0.0, num_candidates=60)
  agent.networks = SimpleNamespace(
    seed=0,
    latent_size=1,
    decoder=tables.generate,
    target_policy=lambda s, a: tf.zeros_like(a),
    target_critics=[tables.evaluate] * 2,
  )
  batch = Transition(
    tf.constant(place(states).astype(float)),
    tf.constant(0.5 * MOVES[moves]),
    tf.constant(rewards),
    tf.constant((following != GOAL).astype(float)),
    tf.constant(place(following).astype(float)),
  )
  for step in range(ITERATIONS):
    target = agent.target(batch, tf.constant(step, tf.int64))
    tables.values[states, moves] = target.numpy()
  return tables.values[states, moves]


@pytest.fixture(scope='module')
def log():
  return make_log()


def test_its_fixed_point_is_the_best_that_the_log_supports(log):
  logged = [log[1][log[0] == state] for state in range(GOAL)]
  found = fixed_point(log, [*logged, np.arange(4)])
  np.testing.assert_allclose(found, value_iteration(*log), atol=1e-6, rtol=0)


def test_that_of_unconstrained_learning_is_what_nobody_has_tried(log):
  found = fixed_point(log, [np.arange(4)] * (GOAL + 1))
  assert np.abs(found - value_iteration(*log)).max() > 1.0
