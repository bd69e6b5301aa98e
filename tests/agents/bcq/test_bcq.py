import numpy as np
import pytest
import tensorflow as tf

from agents.bcq.networks import LATENT_BOUND
from agents.bcq.update import evaluate, perturbed
from agents.learner import Learner
from agents.parts import vae
from tests.agents import problems
from tests.agents.contract import AgentContract
from tests.agents.family import config_of, make_agent, update

BATCH = problems.first(problems.transitions(0, 1))
STEP = tf.constant(0, tf.int64)


class OfTransitions(AgentContract):
  kind = 'bcq'

  def make_agent(self):
    return make_agent(self.kind)

  def sample(self, first_step, num_steps):
    return problems.transitions(first_step, num_steps)

  def trained(self, agent):
    nets = agent.networks
    return [nets.policy, nets.encoder, nets.decoder, *nets.critics]

  def frozen(self, agent):
    return []


class TestBCQ(OfTransitions):
  pass


class TestOneCritic(OfTransitions):
  kind = 'bcq_one_critic'


def reference_target(agent, count):
  """R + g d max_i mix_j Q'_j, in NumPy, of the agent's own draws."""
  nets, config = agent.networks, agent.config
  state = BATCH.next_observation
  noise = tf.random.stateless_normal(
    [count, len(state), nets.latent_size], agent.random_seed(STEP, 1)
  )
  values = []
  for z in np.clip(noise, -LATENT_BOUND, LATENT_BOUND):
    u = np.tanh(nets.decoder(state, tf.constant(z)))
    shift = config.bound * np.tanh(nets.target_policy(state, tf.constant(u)))
    a = tf.constant(np.clip(u + shift, -1, 1))
    q = np.stack([c(state, a)[:, 0] for c in nets.target_critics])
    weight = config.min_weight
    values.append(weight * q.min(axis=0) + (1 - weight) * q.max(axis=0))
  best = np.max(values, axis=0)
  return BATCH.reward + config.discount * BATCH.discount * best


def test_target():
  """C.2, step 2; where d = 0 it is the reward: invariant C-I4."""
  agent = make_agent('bcq')
  actual = agent.target(BATCH, STEP).numpy()
  np.testing.assert_allclose(
    actual, reference_target(agent, 4), rtol=1e-4, atol=1e-5
  )
  over = BATCH.discount.numpy() == 0
  assert over.any()
  np.testing.assert_array_equal(actual[over], BATCH.reward.numpy()[over])


def test_the_target_grows_with_the_candidates():
  """Invariant C-I5, for nested sets."""
  agent = make_agent('bcq')
  nets, state = agent.networks, BATCH.next_observation
  candidates = agent._generate(state, 8, agent.random_seed(STEP, 1))
  values = np.array(
    [evaluate(nets.critics, state, a).numpy().min(axis=1) for a in candidates]
  )
  best = np.maximum.accumulate(values, axis=0)
  assert (np.diff(best, axis=0) >= 0).all()
  assert (best[-1] > best[0]).any()


@pytest.mark.parametrize('bound', [0.0, 0.05, 0.5])
def test_the_correction_is_bounded(bound):
  """Invariants C-I1 and C-I2."""
  agent = make_agent('bcq')
  state = BATCH.observation
  generated = agent._generate(state, 1, agent.random_seed(STEP, 2))[0]
  action = perturbed(agent.networks.policy, state, generated, bound)
  assert np.abs(action - generated).max() <= bound + 1e-6
  assert np.abs(action).max() <= 1
  assert (bound > 0) == bool((action != generated).numpy().any())


def test_acts_with_the_best_of_its_candidates():
  nets = make_agent('bcq').networks
  state = BATCH.observation
  candidates = [
    perturbed(
      nets.policy,
      state,
      vae.decode(nets.decoder, state, tf.repeat(z[None], len(state), axis=0)),
      nets.bound,
    )
    for z in nets.latents
  ]
  values = np.array([nets.critics[0](state, a)[:, 0] for a in candidates])
  assert len(set(values.argmax(axis=0))) > 1
  expected = np.array(candidates)[values.argmax(axis=0), np.arange(len(state))]
  np.testing.assert_allclose(
    nets.export()(state.numpy()), expected, rtol=1e-4, atol=1e-5
  )


def test_without_a_correction_and_choice_it_acts_as_its_generator():
  """Invariant C-I2."""
  nets = make_agent('bcq', bound=0.0, num_acting_candidates=1).networks
  state = BATCH.observation
  latent = tf.repeat(nets.latents, len(state), axis=0)
  np.testing.assert_allclose(
    nets.export()(state.numpy()),
    vae.decode(nets.decoder, state, latent),
    rtol=1e-4, atol=1e-5,
  )  # fmt: skip


def groups(agent):
  nets = agent.networks
  return {
    'vae': problems.variables(nets.encoder, nets.decoder),
    'critic': problems.variables(*nets.critics),
    'policy': problems.variables(nets.policy),
  }


@pytest.mark.parametrize(
  ('changed', 'same', 'other'),
  [('critics', ['vae'], 'policy'), ('policy', ['vae', 'critic'], 'policy')],
)
def test_each_loss_trains_its_own(changed, same, other):
  """Invariant C-I6: the log makes the generator, those two the critics."""
  results = []
  for shift in (0.0, 0.5):
    agent = make_agent('bcq')
    modules = {
      'critics': agent.networks.critics,
      'policy': [agent.networks.policy],
    }[changed]
    for module in modules:
      module.layers[0].w.assign_add(tf.fill(module.layers[0].w.shape, shift))
    update(agent, BATCH)
    results.append(groups(agent))
  for name in same:
    problems.assert_equal(results[0][name], results[1][name])
  assert problems.differ(results[0][other], results[1][other])


@pytest.mark.parametrize(('rate', 'share'), [(1.0, 1.0), (0.25, 0.25)])
def test_targets_follow(rate, share):
  """Invariant C-I7."""
  agent = make_agent('bcq', target_rate=rate)
  (old,) = problems.variables(agent.networks.target_critics[0].layers[-1])[:1]
  Learner(agent, problems.transitions).run(1)
  nets = agent.networks
  online, target = (
    problems.variables(c.layers[-1])[0]
    for c in (nets.critics[0], nets.target_critics[0])
  )
  if rate == 1:  # Copied before the next update, and so not yet.
    np.testing.assert_array_equal(target, old)
    Learner(agent, problems.transitions).run(1)
    copied = problems.variables(nets.target_critics[0].layers[-1])[0]
    np.testing.assert_array_equal(copied, online)
  else:
    np.testing.assert_allclose(
      target, old + share * (online - old), rtol=1e-4, atol=1e-7
    )


def test_a_rate_needs_a_period_of_1():
  with pytest.raises(ValueError, match='a rate below 1 needs a period of 1'):
    config_of('bcq', target_update_period=3)
