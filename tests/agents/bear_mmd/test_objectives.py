"""The objectives of a run, for a policy of raw actions (A.7)."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from agents import registry
from agents.config import Kind
from agents.learner import Learner
from agents.parts import gaussians
from tests.agents import problems
from tests.agents.bear_mmd.agents import (
  FIRST,
  STEP,
  advised,
  outputs,
  sample,
)  # fmt: skip
from tests.agents.family import make_agent


@pytest.mark.parametrize('objective', get_args(Kind))
def test_learns_by_every_objective(objective):
  agent = advised(objective)
  registry.check_objective(agent.config, objective)
  before = problems.variables(agent.networks.policy)
  metrics = Learner(agent, sample).run(2)
  assert np.isfinite(list(metrics.values())).all()
  assert problems.differ(before, problems.variables(agent.networks.policy))


def test_a_teachers_action_is_likely_by_its_raw_one():
  """At alpha 1 it is minus the likelihood, with five times the KL."""
  agent = advised('teacher_action')
  nets, state = agent.networks, FIRST.observation
  (mean, std), (other, spread) = (
    outputs(policy, state) for policy in (nets.policy, nets.previous_policy)
  )
  z = (np.arctanh(FIRST.teacher_action) - mean) / std
  likelihood = -np.sum(
    0.5 * z**2 + np.log(std) + 0.5 * np.log(2 * np.pi), axis=1
  )
  kl = 0.5 * np.sum(
    2 * np.log(spread / std) - 1 + (std / spread) ** 2
    + ((other - mean) / spread) ** 2,
    axis=1,
  )  # fmt: skip
  loss, metrics = agent._regularized(tf.zeros([12]), FIRST, STEP)
  np.testing.assert_allclose(loss, 5 * kl - likelihood, rtol=1e-3)
  assert float(metrics['anchor_distance']) == pytest.approx(kl.mean(), rel=1e-3)
  np.testing.assert_allclose(
    nets.cloning_loss(state, FIRST.teacher_action), -likelihood, rtol=1e-3
  )


@pytest.mark.parametrize('critic', ['online', 'target', 'cycle_start'])
def test_the_filter_asks_the_critics_for_the_least(critic):
  nets = advised('q_filter').networks
  members = {
    'online': nets.critics,
    'target': nets.target_critics,
    'cycle_start': nets.previous_critics,
  }[critic]
  for member in members:
    member.layers[-1].b.assign([np.random.default_rng(0).normal()])
  action = FIRST.teacher_action
  np.testing.assert_allclose(
    nets.value(critic)(FIRST.observation, gaussians.raw(action)),
    np.min([m(FIRST.observation, action)[:, 0] for m in members], axis=0),
    rtol=1e-3, atol=1e-5,
  )  # fmt: skip


@pytest.mark.parametrize('step', [0, 10])
def test_a_teacher_that_is_the_critic_changes_nothing_as_it_fades(step):
  """Where the teacher's gradient is the critic's, alpha does not matter."""
  agent = advised('teacher_grad')
  nets = agent.networks

  def own(observation, action):
    with tf.GradientTape() as tape:
      tape.watch(action)
      value = nets.critics[0](observation, action)
    return tape.gradient(value, action)

  agent.teacher_gradient = own
  for member in nets.critics[1:]:
    for variable, twin in zip(
      member.variables, nets.critics[0].variables, strict=True
    ):
      variable.assign(twin)
  raw = agent._draw(FIRST, agent.random_seed(STEP, 2))
  action = tf.tanh(raw)
  with tf.GradientTape() as tape:
    tape.watch(action)
    _, gain = agent._gain(FIRST.observation, action, tf.constant(step))
  state = tf.tile(FIRST.observation, [5, 1])
  slope = own(state, tf.reshape(action, [-1, 2])).numpy().reshape(5, 12, 2)
  norm = np.linalg.norm(slope, axis=-1, keepdims=True)
  np.testing.assert_allclose(
    tape.gradient(gain, action),
    slope / np.maximum(norm, 1) / 5,
    rtol=1e-3, atol=1e-5,
  )  # fmt: skip


def test_reinforcement_begins_with_the_clone():
  nets = make_agent('bear_mmd').networks
  nets.begin_reinforcement()
  for copy in (nets.initial_policy, nets.target_policy):
    problems.assert_equal(
      problems.variables(nets.policy), problems.variables(copy)
    )
