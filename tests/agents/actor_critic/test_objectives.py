"""The objectives of a run for policies that are distributions (A.7)."""

from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from agents import registry
from agents.actor_critic.objectives import regularized
from agents.config import Kind, ObjectiveConfig
from agents.parts import networks as networks_lib
from tests.agents import problems
from tests.agents.contract import AgentContract
from tests.agents.family import config_of, update

STEP = tf.constant(0, tf.int64)
ACTIONS = tf.constant(
  np.tanh(np.random.default_rng(5).normal(size=(4, 3, 2))).astype(np.float32)
)
SNIPPETS = problems.first(problems.snippets(0, 1))._replace(
  teacher_action=ACTIONS
)


def teacher_gradient(observation: tf.Tensor, action: tf.Tensor) -> tf.Tensor:
  del observation
  return 0.3 - action


def make(kind: str, objective: Kind, total_steps=10, **options: Any) -> Any:
  """An agent whose policies all differ from each other."""
  config = config_of(kind, **options)
  networks = registry.make_networks(config, problems.SPEC, 1)
  rng = np.random.default_rng(3)
  for name in ('policy', 'initial_policy', 'previous_policy', 'target_policy'):
    head = getattr(networks, name).head
    head.w.assign(rng.normal(0, 0.3, head.w.shape))
  for name in ('critic', 'target_critic', 'previous_critic'):
    head = getattr(networks, name).head
    head.w.assign(rng.normal(0, 0.3, head.w.shape))
  return registry.make_agent(
    config, networks, ObjectiveConfig(objective), total_steps, teacher_gradient
  )


def loss_of(agent, alpha, samples=None, **options):
  """Per state, of an improvement of 2 everywhere; and the metrics."""
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  config = ObjectiveConfig(agent.objective.kind, **options)
  if samples is None:
    samples = view.samples
  loss, metrics = regularized(
    config, agent.networks, view, tf.fill([12], 2.0), tf.constant(alpha),
    lambda: samples,
  )  # fmt: skip
  return view, loss.numpy(), metrics


def kl(policy, anchor, view):
  p, q = policy(view.observation), anchor(view.observation)
  (mp, sp), (mq, sq) = ((d.mean().numpy(), d.stddev().numpy()) for d in (p, q))
  return 0.5 * np.sum(
    2 * np.log(sq / sp) - 1 + (sp / sq) ** 2 + ((mq - mp) / sq) ** 2, axis=1
  )


def likelihood(policy, view):
  p = policy(view.observation)
  z = (view.teacher_action - p.mean()) / p.stddev()
  log = -0.5 * z**2 - np.log(p.stddev()) - 0.5 * np.log(2 * np.pi)
  return np.sum(log, axis=1)


@pytest.mark.parametrize(
  ('objective', 'anchor'), [('bc_decay', 'initial'), ('between', 'previous')]
)
def test_the_distance_to_an_anchor_is_a_divergence(objective, anchor):
  agent = make('svg', objective)
  view, loss, metrics = loss_of(agent, 0.25)
  nets = agent.networks
  far = kl(nets.policy, getattr(nets, f'{anchor}_policy'), view)
  np.testing.assert_allclose(loss, 0.75 * 2 + 0.25 * far, rtol=1e-4)
  mask = view.mask.numpy() > 0
  assert float(metrics['anchor_distance']) == pytest.approx(
    far[mask].mean(), rel=1e-4
  )


def test_a_fixed_weight():
  agent = make('svg', 'bc_fixed')
  view, loss, _ = loss_of(agent, 0.25, weight=0.5)
  far = kl(agent.networks.policy, agent.networks.initial_policy, view)
  np.testing.assert_allclose(loss, 2 + 0.5 * far, rtol=1e-4)


def test_the_distance_to_a_teachers_action_is_a_likelihood():
  agent = make('svg', 'teacher_action')
  view, loss, _ = loss_of(agent, 0.25, between_weight=5.0)
  nets = agent.networks
  expected = (
    0.75 * 2
    + 5 * kl(nets.policy, nets.previous_policy, view)
    - 0.25 * likelihood(nets.policy, view)
  )
  np.testing.assert_allclose(loss, expected, rtol=1e-4)


@pytest.mark.parametrize('critic', ['online', 'target', 'cycle_start'])
def test_the_filter_compares_with_the_mean_of_samples(critic):
  agent = make('svg', 'q_filter')
  nets = agent.networks
  view, loss, metrics = loss_of(agent, 0.5, filter_critic=critic)
  module = {
    'online': nets.critic,
    'target': nets.target_critic,
    'cycle_start': nets.previous_critic,
  }[critic]
  own = np.mean([module(view.observation, a) for a in view.samples], axis=0)
  teacher = module(view.observation, view.teacher_action).numpy()
  prefers = teacher >= own
  assert 0 < prefers.mean() < 1
  expected = np.where(prefers, -likelihood(nets.policy, view), 2.0)
  np.testing.assert_allclose(loss, expected, rtol=1e-4)
  assert float(metrics['teacher_fraction']) == pytest.approx(prefers.mean())


@pytest.mark.parametrize('objective', ['bc_decay', 'between'])
def test_ends_of_the_decay_are_exact(objective):
  """Invariants A-I1 and A-I2."""
  agent = make('svg', objective)
  _, loss, _ = loss_of(agent, 0.0)
  np.testing.assert_array_equal(loss, np.full(12, 2.0))
  results = []
  for value in (2.0, -300.0):
    view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
    results.append(
      regularized(
        agent.objective, agent.networks, view, tf.fill([12], value),
        tf.constant(1.0), view.samples,
      )[0].numpy()
    )  # fmt: skip
  np.testing.assert_array_equal(*results)


def test_at_the_start_of_a_cycle_nothing_pulls():
  """Invariant A-I3."""
  agent = make('svg', 'between')
  networks_lib.copy_variables(
    agent.networks.policy, agent.networks.previous_policy
  )
  _, _, metrics = loss_of(agent, 0.5)
  assert float(metrics['anchor_distance']) == pytest.approx(0, abs=1e-6)


def gradient_of(agent):
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  with tf.GradientTape() as tape:
    loss = tf.reduce_sum(agent.improve(view, STEP).loss)
  return tape.gradient(loss, agent.networks.policy.trainable_variables)


@pytest.mark.parametrize('total_steps', [1, 10, 1000])
def test_a_teacher_that_agrees_does_not_matter(total_steps):
  """Invariant A-I5: whatever alpha is, the gradient is the same."""
  agent = make('svg', 'teacher_grad', total_steps)
  critic = agent.networks.target_critic

  def same(observation, action):
    with tf.GradientTape() as tape:
      tape.watch(action)
      value = critic(observation, action)
    return tape.gradient(value, action)

  agent.teacher_gradient = same
  results = []
  for step in (0, total_steps // 2, total_steps):
    view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
    agent.alpha = lambda _, s=step: tf.constant(1.0 - s / total_steps)
    with tf.GradientTape() as tape:
      loss = tf.reduce_sum(agent.improve(view, STEP).loss)
    variables = agent.networks.policy.trainable_variables
    results.append([g.numpy() for g in tape.gradient(loss, variables)])
  for other in results[1:]:
    for a, b in zip(results[0], other, strict=True):
      np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_at_its_full_weight_only_the_teacher_leads():
  """Invariant A-I1."""
  results = []
  for shift in (0.0, 3.0):
    agent = make('svg', 'teacher_grad')
    agent.networks.target_critic.head.w.assign_add(
      tf.fill(agent.networks.target_critic.head.w.shape, shift)
    )
    results.append([g.numpy() for g in gradient_of(agent)])
  problems.assert_equal(*results)


KINDS = ('mpo', 'bm_mpo', 'abm_mpo', 'svg', 'abm_svg', 'abm', 'bear')


@pytest.mark.parametrize('objective', get_args(Kind))
@pytest.mark.parametrize('kind', KINDS)
def test_every_combination_learns_or_says_why_not(kind, objective):
  config = config_of(kind)
  if objective not in registry.find(kind).objectives:
    with pytest.raises(
      ValueError, match='follows no gradient; choose one of --obj'
    ):
      registry.check_objective(config, objective)
    return
  registry.check_objective(config, objective)
  agent = make(kind, objective)
  before = problems.variables(agent.networks.policy)
  metrics = update(agent, SNIPPETS)
  assert np.isfinite(list(metrics.values())).all()
  assert problems.differ(before, problems.variables(agent.networks.policy))


class TestRegularized(AgentContract):
  """The contract with everything that an objective adds."""

  def make_agent(self):
    return make('abm_svg', 'teacher_action', target_update_period=3)

  def sample(self, first_step, num_steps):
    batch = problems.snippets(first_step, num_steps)
    return batch._replace(teacher_action=np.tanh(batch.action + 0.3))

  def trained(self, agent):
    nets = agent.networks
    return [nets.policy, nets.critic, *nets.priors]

  def frozen(self, agent):
    nets = agent.networks
    return [nets.initial_policy, nets.previous_policy, nets.previous_critic]


class TestPolicyEvaluation(AgentContract):
  def make_agent(self):
    return make('abm_mpo', 'q_filter').pretraining()

  def sample(self, first_step, num_steps):
    return problems.snippets(first_step, num_steps)

  def trained(self, agent):
    return [agent.networks.critic]

  def frozen(self, agent):
    nets = agent.networks
    return [nets.policy, nets.target_policy, nets.initial_policy, *nets.priors]

  def test_bootstraps_with_the_initial_policy(self):
    """Other policies do not matter; the initial one does."""
    results = []
    for changed in (None, 'policy', 'target_policy', 'initial_policy'):
      agent = self.make_agent()
      if changed:
        getattr(agent.networks, changed).head.b.assign([0.5, -0.5, 0.0, 0.0])
      update(agent, problems.first(self.sample(0, 1)))
      results.append(problems.variables(agent.networks.critic))
    for same in results[1:3]:
      problems.assert_equal(results[0], same)
    assert problems.differ(results[0], results[3])


def test_cloning_is_by_likelihood():
  agent = make('mpo', 'none')
  nets = agent.networks
  view = agent.look(SNIPPETS, STEP, nets.target_policy)
  actions = tf.reshape(ACTIONS, [-1, 2])
  np.testing.assert_allclose(
    nets.cloning_loss(view.observation, actions),
    -likelihood(nets.policy, view._replace(teacher_action=actions)),
    rtol=1e-4,
  )


def test_reinforcement_begins_with_the_clone():
  nets = make('abm_mpo', 'none').networks
  nets.begin_reinforcement()
  for copy in (nets.initial_policy, nets.target_policy, *nets.priors):
    problems.assert_equal(
      problems.variables(nets.policy), problems.variables(copy)
    )
