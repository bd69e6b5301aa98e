"""The objectives that ask a teacher, on noise as its actions."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from agents.config import ObjectiveConfig
from agents.d4pg.update import D4PG
from agents.parts import networks as networks_lib
from tests.agents import problems
from tests.agents.d4pg.agents import (
  TOTAL_STEPS,
  anchored,
  make_agent,
  make_networks,
  other_critic,
  update,
)
from tests.agents.problems import CONFIG, SPEC, assert_equal, variables


class TestTeachers:
  def test_filter_sides_with_the_better_action(self):
    """Invariant A-I4: delta is 1 exactly where Q(s, a*) >= Q(s, pi(s))."""
    agent = make_agent('q_filter')
    batch = problems.first(problems.transitions(0, 1, batch_size=64))
    nets = agent.networks
    own, teacher = (
      nets.value('online')(batch.observation, action).numpy()
      for action in (nets.policy(batch.observation), batch.teacher_action)
    )
    fraction = (teacher >= own).mean()
    assert 0.1 < fraction < 0.9
    metrics = agent.update(batch, tf.constant(0, tf.int64))
    assert float(metrics['teacher_fraction']) == pytest.approx(fraction)

  def test_a_filter_takes_ties_for_the_teacher(self):
    """Invariant A-I4: a* = pi(s) gives delta 1 and a gradient of 0."""
    agent = make_agent('q_filter')
    batch = problems.first(problems.transitions(0, 1, batch_size=64))
    own = agent.networks.policy(batch.observation)
    before = variables(agent.networks.policy)
    metrics = agent.update(
      batch._replace(teacher_action=own), tf.constant(0, tf.int64)
    )
    assert metrics['teacher_fraction'] == 1
    assert metrics['policy_gradient_norm'] == 0
    assert_equal(before, variables(agent.networks.policy))

  @pytest.mark.parametrize('choice', ['online', 'target', 'cycle_start'])
  def test_the_chosen_critic_filters(self, choice):
    fractions = []
    for name in (None, 'critic', 'target_critic', 'previous_critic'):
      agent = make_agent('q_filter', filter_critic=choice)
      if name:
        other = other_critic(seed=3)
        networks_lib.copy_variables(other, getattr(agent.networks, name))
      batch = problems.first(problems.transitions(0, 1, batch_size=64))
      metrics = agent.update(batch, tf.constant(0, tf.int64))
      fractions.append(float(metrics['teacher_fraction']))
    changed = [fraction != fractions[0] for fraction in fractions[1:]]
    critics = ('online', 'target', 'cycle_start')
    assert changed == [choice == critic for critic in critics]

  @pytest.mark.parametrize('step', [0, 3, TOTAL_STEPS])
  def test_its_own_critic_as_a_teacher_changes_nothing(self, step):
    """Invariant A-I5."""
    none = make_agent('none')
    agent = make_agent('teacher_grad', teacher=none.networks.critic)
    metrics = update(agent, step)
    update(none, step)
    assert float(metrics['teacher_cosine']) == pytest.approx(1, abs=1e-5)
    for a, b in zip(variables(none), variables(agent), strict=True):
      np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)

  @pytest.mark.parametrize('scale', [1e-3, 1.0, 1e3])
  def test_long_teacher_gradients_are_bounded(self, scale):
    """Their scale is arbitrary; the bound is that of dQ/da."""

    def gradient(observation, action):
      del observation
      return scale * tf.ones_like(action)

    agent = make_agent('none')
    agent = D4PG(
      CONFIG, agent.networks, ObjectiveConfig('teacher_grad'), TOTAL_STEPS,
      gradient,
    )  # fmt: skip
    loss = float(update(agent, step=0)['policy_loss'])
    assert loss == pytest.approx(0.5 * min(2 * scale**2, 1), rel=1e-3)

  def test_weights_of_teacher_actions(self):
    """Equation 6 against NumPy."""
    agent = make_agent('teacher_action', decay_rate=5.0)
    batch = problems.first(problems.transitions(0, 1))
    nets = agent.networks
    own, previous = (
      policy(batch.observation)
      for policy in (nets.policy, nets.previous_policy)
    )
    _, g = nets.critic.value_and_gradient(batch.observation, own)
    norm = np.linalg.norm(g, axis=-1)
    alpha = (np.exp(-5 * 0.3) - np.exp(-5)) / (1 - np.exp(-5))
    expected = np.mean(
      (1 - alpha) * 0.5 * np.minimum(norm, 1) ** 2
      + 5 * np.sum((own - previous) ** 2, axis=-1)
      + alpha * np.sum((own - batch.teacher_action) ** 2, axis=-1)
    )
    metrics = agent.update(anchored(agent, batch), tf.constant(3, tf.int64))
    assert float(metrics['policy_loss']) == pytest.approx(expected, rel=1e-4)
    assert float(metrics['alpha']) == pytest.approx(alpha, rel=1e-5)

  @pytest.mark.parametrize('kind', ['teacher_action', 'q_filter'])
  def test_refuses_to_improve_where_nobody_was_asked(self, kind):
    config = dataclasses.replace(CONFIG, policy_loss_observation='last')
    with pytest.raises(ValueError, match='policy_loss_observation'):
      make_agent(kind, config=config)

  def test_refuses_no_teacher(self):
    nets = make_networks(CONFIG, SPEC, seed=0)
    with pytest.raises(ValueError, match='teacher_gradient'):
      D4PG(CONFIG, nets, ObjectiveConfig('teacher_grad'), TOTAL_STEPS)
