import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from agents.d4pg.update import PolicyEvaluation
from tests.agents import problems
from tests.agents.contract import AgentContract
from tests.agents.d4pg.agents import (
  TOTAL_STEPS,
  make_agent,
  make_networks,
  update,
)
from tests.agents.problems import CONFIG, SPEC, assert_equal, variables


class TestD4PG(AgentContract):
  def make_agent(self):
    return make_agent('bc_decay')

  def sample(self, first_step, num_steps):
    return problems.transitions(first_step, num_steps)

  def trained(self, agent):
    return [agent.networks.policy, agent.networks.critic]

  def frozen(self, agent):
    return [agent.networks.initial_policy, agent.networks.previous_policy]


class TestPolicyEvaluation(AgentContract):
  def make_agent(self):
    return PolicyEvaluation(make_agent())

  def sample(self, first_step, num_steps):
    return problems.transitions(first_step, num_steps)

  def trained(self, agent):
    (critics,) = agent.targets
    return [critics[0]]

  def frozen(self, agent):
    nets = agent.d4pg.networks
    return [
      nets.policy,
      nets.target_policy,
      nets.initial_policy,
      nets.previous_policy,
    ]

  def test_bootstraps_with_the_initial_policy(self):
    """Other policies do not matter; the initial one does."""
    results = []
    for changed in (None, 'policy', 'target_policy', 'initial_policy'):
      d4pg = make_agent()
      if changed:
        getattr(d4pg.networks, changed).head.b.assign([0.5, -0.5])
      update(PolicyEvaluation(d4pg))
      results.append(variables(d4pg.networks.critic))
    for same in results[1:3]:
      assert_equal(results[0], same)
    assert problems.differ(results[0], results[3])

  def test_shares_the_optimizer(self):
    d4pg = make_agent()
    update(PolicyEvaluation(d4pg))
    assert d4pg.critic_optimizer.step.numpy() == 1
    assert d4pg.policy_optimizer.step.numpy() == 0


class TestNetworks:
  def test_depend_on_the_seed_alone(self):
    first = make_networks(CONFIG, SPEC, seed=3)
    tf.random.normal([7])
    assert_equal(
      variables(first), variables(make_networks(CONFIG, SPEC, seed=3))
    )
    other = make_networks(CONFIG, SPEC, seed=4)
    assert (first.policy.head.w.numpy() != other.policy.head.w.numpy()).all()

  def test_start_equal(self):
    nets = make_networks(CONFIG, SPEC, seed=0)
    for policy in (
      nets.target_policy,
      nets.initial_policy,
      nets.previous_policy,
    ):
      assert_equal(variables(nets.policy), variables(policy))
    assert_equal(variables(nets.critic), variables(nets.target_critic))

  def test_milestones(self):
    nets = make_networks(CONFIG, SPEC, seed=0)
    old = variables(nets.policy)
    nets.policy.head.b.assign([1.0, 2.0])
    nets.critic.head.b.assign_add(tf.ones([11]))
    nets.begin_reinforcement()
    assert_equal(variables(nets.policy), variables(nets.initial_policy))
    assert_equal(variables(nets.policy), variables(nets.target_policy))
    assert_equal(variables(nets.critic), variables(nets.target_critic))
    assert_equal(old, variables(nets.previous_policy))
    nets.begin_cycle()
    assert_equal(variables(nets.policy), variables(nets.previous_policy))


class TestObjectives:
  @pytest.mark.parametrize(
    'kind', ['bc_decay', 'between', 'teacher_action', 'teacher_grad']
  )
  def test_policy_gradient_has_no_part_at_alpha_one(self, kind):
    """Invariant A-I1."""
    agents = [make_agent(kind) for _ in range(2)]
    random = np.random.default_rng(5)
    for v in agents[1].networks.critic.variables:
      v.assign(random.normal(0, 1, v.shape))
    for agent in agents:
      update(agent, step=0)
    assert_equal(*(variables(a.networks.policy) for a in agents))
    assert_equal(*(variables(a.policy_optimizer) for a in agents))

  @pytest.mark.parametrize(
    'kind', ['bc_decay', 'between', 'teacher_action', 'teacher_grad']
  )
  def test_equals_none_at_alpha_zero(self, kind):
    """Invariant A-I2."""
    agents = [make_agent('none'), make_agent(kind, between_weight=0.0)]
    for agent in agents:
      update(agent, step=TOTAL_STEPS)
    assert_equal(*(variables(a) for a in agents))

  def test_nothing_anchors_at_the_start_of_a_cycle(self):
    """Invariant A-I3: at pi_prev its distance and its gradient are 0."""
    agent = make_agent('between')
    agent.networks.begin_cycle()
    before = variables(agent.networks.policy)
    metrics = update(agent, step=0)  # Here the anchor is all there is.
    assert metrics['anchor_distance'] == 0
    assert metrics['policy_gradient_norm'] == 0
    assert_equal(before, variables(agent.networks.policy))

  def test_between_equals_bc_decay_in_the_first_cycle(self):
    """Invariant A-I3."""
    agents = [make_agent('between'), make_agent('bc_decay')]
    for agent in agents:
      agent.networks.begin_reinforcement()
      agent.networks.begin_cycle()
      for step in range(3):
        update(agent, step, seed=step)
    assert_equal(*(variables(a) for a in agents))

  @pytest.mark.parametrize(
    ('kind', 'anchor'),
    [
      ('none', None),
      ('bc_fixed', 'initial_policy'),
      ('bc_decay', 'initial_policy'),
      ('between', 'previous_policy'),
    ],
  )
  def test_anchors(self, kind, anchor):
    for name in ('initial_policy', 'previous_policy'):
      agents = [make_agent(kind), make_agent(kind)]
      getattr(agents[1].networks, name).head.b.assign([0.5, 0.5])
      for agent in agents:
        update(agent, step=5)
      policies = [variables(a.networks.policy) for a in agents]
      assert problems.differ(*policies) == (name == anchor)


class TestUpdate:
  def test_critic_gets_nothing_from_the_policy_loss(self):
    """Frozen phi: another objective leaves the critic's update unchanged."""
    critics = []
    for kind in ('none', 'bc_fixed'):
      agent = make_agent(kind)
      update(agent)
      critics.append(variables(agent.networks.critic, agent.critic_optimizer))
    assert_equal(*critics)

  def test_targets_and_policy_get_nothing_from_the_critic_loss(self):
    agent = make_agent('between')
    agent.networks.begin_cycle()
    frozen = [agent.networks.target_policy, agent.networks.target_critic]
    before = variables(agent.networks.policy, *frozen)
    update(agent, step=0)  # The policy's own loss is 0 here.
    assert_equal(before, variables(agent.networks.policy, *frozen))

  @pytest.mark.parametrize(
    ('choice', 'field', 'matters'),
    [
      ('first', 'observation', True),
      ('first', 'next_observation', False),
      ('last', 'observation', False),
      ('last', 'next_observation', True),
    ],
  )
  def test_state_of_the_policy_loss(self, choice, field, matters):
    config = dataclasses.replace(CONFIG, policy_loss_observation=choice)
    batch = problems.first(problems.transitions(0, 1))
    changed = batch._replace(**{field: tf.ones_like(batch.observation)})
    policies = []
    for inputs in (batch, changed):
      agent = make_agent(config=config)
      agent.update(inputs, tf.constant(0, tf.int64))
      policies.append(variables(agent.networks.policy))
    assert problems.differ(*policies) == matters

  def test_refuses_no_steps(self):
    with pytest.raises(ValueError, match='total_steps'):
      make_agent(total_steps=0)
