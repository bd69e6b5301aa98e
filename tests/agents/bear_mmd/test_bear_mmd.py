import numpy as np
import pytest
import tensorflow as tf

from agents import registry
from agents.config import ObjectiveConfig
from agents.learner import Learner
from tests.agents import problems
from tests.agents.bear_mmd.agents import (
  BATCH,
  FIRST,
  NOW,
  STEP,
  advised,
  outputs,
  sample,
)  # fmt: skip
from tests.agents.contract import AgentContract
from tests.agents.family import config_of, make_agent, update
from tests.agents.parts.test_discrepancy import reference


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


def test_without_room_it_comes_near_the_generator():
  """A warm-up brings the MMD down to where its samples allow."""
  agent = make_agent('bear_mmd', learning_rate=1e-2)
  learner = Learner(
    agent, lambda n, k: problems.snippets(n, k, shape=(64, 1)), 100
  )
  first = learner.run(1)['mmd']
  learner.run(300)
  assert learner.run(50)['mmd'] < 0.5 * first


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
