import numpy as np
import pytest
import tensorflow as tf

from agents import registry
from agents.config import ObjectiveConfig
from agents.ddpg.config import DDPGConfig
from agents.learner import Learner
from datasets.types import EnvironmentSpec, Transition
from tests.agents import problems
from tests.agents.contract import AgentContract
from tests.agents.family import make_agent, update

BATCH = problems.first(problems.transitions(0, 1))


class TestDDPG(AgentContract):
  def make_agent(self):
    return make_agent('ddpg')

  def sample(self, first_step, num_steps):
    return problems.transitions(first_step, num_steps)

  def trained(self, agent):
    nets = agent.networks
    return [nets.policy, nets.critic, nets.target_policy, nets.target_critic]

  def frozen(self, agent):
    return []


def run(network, *inputs):
  """What plain layers do, in NumPy."""
  x = np.concatenate(inputs, axis=1)
  *hidden, last = network.layers
  for layer in hidden:
    x = np.maximum(x @ layer.w.numpy() + layer.b.numpy(), 0)
  return x @ last.w.numpy() + last.b.numpy()


def reference_losses(nets, discount):
  """The two losses of Lillicrap et al., of a batch that ends here and there."""
  batch = Transition(*(x.numpy() for x in BATCH[:5]))
  following = np.tanh(run(nets.target_policy, batch.next_observation))
  value = run(nets.target_critic, batch.next_observation, following)[:, 0]
  target = batch.reward + discount * batch.discount * value
  error = target - run(nets.critic, batch.observation, batch.action)[:, 0]
  action = np.tanh(run(nets.policy, batch.observation))
  climbed = run(nets.critic, batch.observation, action)[:, 0]
  return np.mean(np.square(error)), -np.mean(climbed)


def distinct():
  """An agent whose target networks are others than its own."""
  agent, other = make_agent('ddpg'), make_agent('ddpg', seed=2)
  for (_, target), (source, _) in zip(
    agent.targets, other.targets, strict=True
  ):
    for old, new in zip(target.variables, source.variables, strict=True):
      old.assign(new)
  return agent


def test_losses():
  agent = distinct()
  critic, policy = reference_losses(agent.networks, agent.config.discount)
  np.testing.assert_allclose(agent.critic_loss(BATCH), critic, rtol=1e-5)
  np.testing.assert_allclose(agent.policy_loss(BATCH), policy, rtol=1e-5)


def test_the_policy_climbs_what_the_critic_has_become():
  agent = distinct()
  critic_loss, _ = reference_losses(agent.networks, agent.config.discount)
  metrics = update(agent, BATCH)
  assert metrics['critic_loss'] == pytest.approx(critic_loss, rel=1e-5)
  moved, still = distinct(), agent.networks.critic
  for old, new in zip(
    moved.networks.critic.variables, still.variables, strict=True
  ):
    old.assign(new)
  expected = reference_losses(moved.networks, 0.99)[1]
  assert metrics['policy_loss'] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
  ('loss', 'trained'), [('critic_loss', 'critic'), ('policy_loss', 'policy')]
)
def test_each_loss_trains_its_own(loss, trained):
  """0.5: the targets have no gradient; each optimizer has one network."""
  agent = distinct()
  nets = agent.networks
  with tf.GradientTape() as tape:
    value = getattr(agent, loss)(BATCH)
  own = agent.parameters(trained)
  assert [v.ref() for v in own] == [
    v.ref() for v in getattr(nets, trained).trainable_variables
  ]
  frozen = [*nets.target_policy.variables, *nets.target_critic.variables]
  gradients = tape.gradient(value, [*own, *frozen])
  assert all(np.any(g != 0) for g in gradients[: len(own)])
  assert all(g is None for g in gradients[len(own) :])


def test_targets_follow_by_polyak():
  agent = make_agent('ddpg', target_rate=0.25)
  target = agent.networks.target_critic
  before = problems.variables(target)
  Learner(agent, problems.transitions).run(1)
  online = problems.variables(agent.networks.critic)
  for old, new, now in zip(
    before, online, problems.variables(target), strict=True
  ):
    np.testing.assert_allclose(now, old + 0.25 * (new - old), atol=1e-6)


def test_an_objective_is_refused():
  networks = registry.make_networks(DDPGConfig(), problems.SPEC, 0)
  with pytest.raises(ValueError, match="ddpg has no objective 'between'"):
    registry.make_agent(DDPGConfig(), networks, ObjectiveConfig('between'), 1)


def test_learns_a_bandit():
  """The reward is -|a - c(s)|^2; nothing but the critic shows c(s)."""
  config = DDPGConfig(
    policy_layer_sizes=(32, 32), critic_layer_sizes=(32, 32), learning_rate=3e-3
  )

  def best_action(states):
    return 0.8 * np.tanh(2 * states)

  def sample(first_step, num_steps):
    rng = np.random.default_rng(first_step)
    state = rng.standard_normal((num_steps, 64, 1))
    action = rng.uniform(-1, 1, (num_steps, 64, 1))
    reward = -np.square(action - best_action(state))[..., 0]
    fields = state, action, reward, np.zeros_like(reward), state
    return Transition(*(field.astype(np.float32) for field in fields))

  networks = registry.make_networks(config, EnvironmentSpec(1, 1), seed=0)
  agent = registry.make_agent(config, networks, ObjectiveConfig('none'), 1)
  states = np.random.default_rng(1).standard_normal((500, 1)).astype('f')

  def loss():
    return np.mean(np.square(networks.export()(states) - best_action(states)))

  assert loss() > 0.1
  Learner(agent, sample, steps_per_call=100).run(800)
  assert loss() < 0.02
