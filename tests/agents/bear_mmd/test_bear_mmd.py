from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from agents import registry
from agents.bear_mmd.update import first_transitions
from agents.config import Kind, ObjectiveConfig
from agents.learner import Learner
from agents.parts import gaussians
from tests.agents import problems
from tests.agents.contract import AgentContract
from tests.agents.family import config_of, make_agent, update
from tests.agents.parts.test_discrepancy import reference

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


class TestBEARMMD(AgentContract):
  def make_agent(self):
    return advised('q_filter')

  def sample(self, first_step, num_steps):
    return sample(first_step, num_steps)

  def trained(self, agent):
    nets = agent.networks
    return [nets.policy, nets.encoder, nets.decoder, *nets.critics]

  def frozen(self, agent):
    nets = agent.networks
    return [nets.initial_policy, nets.previous_policy, *nets.previous_critics]


class TestPretraining(AgentContract):
  def make_agent(self):
    return make_agent('bear_mmd').pretraining()

  def sample(self, first_step, num_steps):
    return sample(first_step, num_steps)

  def trained(self, agent):
    nets = agent.networks
    return [nets.encoder, nets.decoder, *nets.critics]

  def frozen(self, agent):
    nets = agent.networks
    return [nets.policy, nets.target_policy, nets.initial_policy]


def distribution(policy):
  mean, log_std = np.split(policy.numpy(), 2, axis=-1)
  return mean, np.exp(np.clip(log_std, -20, 2))


def outputs(policy, state):
  """Those of the last layer, in NumPy but for the layers."""
  x = state
  for layer in policy.layers[:-1]:
    x = tf.nn.relu(layer(x))
  return distribution(policy.layers[-1](x))


def test_target():
  """The best of all by 0.75 least and 0.25 most; r where d = 0."""
  agent = make_agent('bear_mmd')
  nets, config, state = agent.networks, agent.config, FIRST.next_observation
  mean, std = outputs(nets.target_policy, state)
  noise = tf.random.stateless_normal(
    [config.num_candidates, 12, 2], agent.random_seed(STEP, 1)
  )
  values = []
  for row in noise:
    action = tf.constant(np.tanh(mean + std * row))
    q = np.stack([c(state, action)[:, 0] for c in nets.target_critics])
    values.append(0.75 * q.min(axis=0) + 0.25 * q.max(axis=0))
  expected = FIRST.reward + 0.99 * FIRST.discount * np.max(values, axis=0)
  actual = agent.target(FIRST, STEP).numpy()
  np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
  over = FIRST.discount.numpy() == 0
  assert over.any()
  np.testing.assert_array_equal(actual[over], FIRST.reward.numpy()[over])


def test_losses_of_the_improvement():
  """-mean of the least of the critics' means + exp(log weight) * MMD."""
  agent = make_agent('bear_mmd', initial_log_multiplier=0.7, **NOW)
  nets, state = agent.networks, FIRST.observation
  mean, std = outputs(nets.policy, state)

  def bounded_noise(width, purpose):
    noise = tf.random.stateless_normal(
      [5, 12, width], agent.random_seed(STEP, purpose)
    )
    return np.clip(noise, -0.5, 0.5)

  raw = mean + std * bounded_noise(2, 2)
  latents = bounded_noise(nets.latent_size, 3)
  generated = [nets.decoder(state, tf.constant(z)) for z in latents]
  far = reference(raw, np.array(generated), 'laplacian', 10.0).mean()
  actions = [tf.constant(a) for a in np.tanh(raw)]
  values = [
    np.mean([critic(state, a)[:, 0] for a in actions], axis=0)
    for critic in nets.critics
  ]
  value = np.min(values, axis=0).mean()
  metrics = agent.improve(FIRST, STEP)
  assert float(metrics['mmd']) == pytest.approx(far, rel=1e-3)
  assert float(metrics['value_mean']) == pytest.approx(value, rel=1e-3)
  weight = np.exp(0.7)
  for name, expected in (
    ('policy_loss', -value + weight * far),
    ('dual_loss', weight * (0.05 - far)),
  ):
    assert float(metrics[name]) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(('epsilon', 'rises'), [(1e-3, True), (10.0, False)])
def test_the_multiplier_rises_iff_they_are_too_far_apart(epsilon, rises):
  agent = make_agent('bear_mmd', epsilon=epsilon)
  metrics = update(agent, BATCH)
  assert (metrics['mmd'] > epsilon) == rises
  assert (agent.multiplier.value.numpy() > 0) == rises
  assert metrics['multiplier'] == pytest.approx(
    np.exp(agent.multiplier.value.numpy())
  )


@pytest.mark.parametrize('initial', [-5.0, 10.0])
def test_the_multiplier_has_bounds(initial):
  epsilon = 10.0 if initial < 0 else 1e-3
  agent = make_agent(
    'bear_mmd', epsilon=epsilon, initial_log_multiplier=initial
  )
  update(agent, BATCH)
  assert agent.multiplier.value.numpy() == initial


@pytest.mark.parametrize(
  ('step', 'is_led'), [(0, False), (6, False), (7, True)]
)
def test_values_do_not_lead_the_policy_while_it_warms_up(step, is_led):
  """Other critics make another policy from the step on that ends it, only."""
  policies = []
  for shift in (0.0, 0.5):
    agent = make_agent('bear_mmd', warm_up_steps=7)
    before = problems.variables(agent.networks.policy)
    for critic in agent.networks.critics:
      critic.layers[0].w.assign_add(tf.fill(critic.layers[0].w.shape, shift))
    update(agent, BATCH, step)
    policies.append(problems.variables(agent.networks.policy))
    assert problems.differ(before, policies[-1])
  assert problems.differ(*policies) == is_led


@pytest.mark.parametrize('name', ['policy', 'vae', 'critic'])
def test_each_loss_trains_its_own(name):
  """The policy's steps move no other network."""
  agents = [make_agent('bear_mmd', **NOW) for _ in range(2)]
  update(agents[0], BATCH)
  agents[1].fit(FIRST, STEP)
  first, second = (
    [v.numpy() for v in agent.parameters(name)] for agent in agents
  )
  assert problems.differ(first, second) == (name == 'policy')


def test_acts_with_the_best_of_its_samples():
  nets = make_agent('bear_mmd').networks
  state = FIRST.observation
  mean, std = outputs(nets.policy, state)
  candidates = np.tanh(mean + std * nets.noise.numpy()[:, None])
  values = np.array(
    [nets.critics[0](state, tf.constant(a))[:, 0] for a in candidates]
  )
  assert len(set(values.argmax(axis=0))) > 1
  expected = candidates[values.argmax(axis=0), np.arange(len(state))]
  np.testing.assert_allclose(
    nets.export()(state.numpy()), expected, rtol=1e-4, atol=1e-5
  )


@pytest.mark.parametrize('objective', get_args(Kind))
def test_learns_by_every_objective(objective):
  agent = advised(objective)
  registry.check_objective(agent.config, objective)
  before = problems.variables(agent.networks.policy)
  assert np.isfinite(list(update(agent, BATCH).values())).all()
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


def test_without_room_it_comes_near_the_generator():
  """A warm-up brings the MMD down to where its samples allow."""
  agent = make_agent('bear_mmd', learning_rate=1e-2)
  learner = Learner(
    agent, lambda n, k: problems.snippets(n, k, shape=(64, 1)), 100
  )
  first = learner.run(1)['mmd']
  learner.run(300)
  assert learner.run(50)['mmd'] < 0.5 * first


def test_reinforcement_begins_with_the_clone():
  nets = make_agent('bear_mmd').networks
  nets.begin_reinforcement()
  for copy in (nets.initial_policy, nets.target_policy):
    problems.assert_equal(
      problems.variables(nets.policy), problems.variables(copy)
    )


def test_bad_options_are_refused():
  with pytest.raises(ValueError, match=r'is 11.0; it must be between.* 10\.0'):
    config_of('bear_mmd', initial_log_multiplier=11.0)
  with pytest.raises(ValueError, match='kernel is'):
    config_of('bear_mmd', kernel='linear')
  with pytest.raises(ValueError, match=r'policy_layer_sizes is \(\)'):
    config_of('bear_mmd', policy_layer_sizes=())
  with pytest.raises(ValueError, match='needs a teacher_gradient'):
    registry.make_agent(
      config_of('bear_mmd'),
      make_agent('bear_mmd').networks,
      ObjectiveConfig('teacher_grad'),
      10,
    )
