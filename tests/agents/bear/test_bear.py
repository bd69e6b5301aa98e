import numpy as np
import pytest
import tensorflow as tf

from agents.parts import networks as networks_lib
from tests.agents import problems
from tests.agents.family import OfSnippets, make_agent, update

SNIPPETS = problems.first(problems.snippets(0, 1, shape=(12, 1)))
STEP = tf.constant(0, tf.int64)


class TestBEAR(OfSnippets):
  kind = 'bear'

  def sample(self, first_step, num_steps):
    return problems.snippets(first_step, num_steps, shape=(12, 1))


def view_of(kind, **options):
  agent = make_agent(kind, snippet_length=1, **options)
  return agent.look(SNIPPETS, STEP, agent.networks.target_policy)


def test_one_sample_makes_the_target_that_of_svg():
  """Invariant D-I1."""
  targets = [
    view_of(kind, num_samples=1).target.numpy() for kind in ('bear', 'bm_svg')
  ]
  np.testing.assert_array_equal(*targets)


def test_the_target_is_no_less_than_that_of_the_mean():
  """Invariant D-I2, on the same samples."""
  best, mean = (view_of(kind).target.numpy() for kind in ('bear', 'bm_svg'))
  alive = SNIPPETS.discount.numpy()[:, 0] > 0
  assert (best[alive] > mean[alive]).all()
  np.testing.assert_array_equal(best[~alive], mean[~alive])


@pytest.mark.long
def test_without_room_it_is_the_behaviour_model():
  """Invariant D-I4: epsilon -> 0 drives the policy to the prior."""
  agent = make_agent('bear', epsilon=1e-6, initial_multiplier=1e3)
  nets = agent.networks
  graph = tf.function(agent.update, autograph=False)
  for step in range(900):
    graph(SNIPPETS, tf.constant(step, tf.int64))
  (prior,) = nets.priors
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  kl = nets.policy(view.observation).kl_divergence(prior(view.observation))
  assert kl.numpy().mean() < 0.01


def test_acts_with_the_best_of_its_samples():
  """Invariant D-I5."""
  nets = make_agent('bear').networks
  observation = SNIPPETS.observation[:, 0]
  policy = nets.policy(observation)
  candidates = tf.clip_by_value(
    policy.mean() + policy.stddev() * nets.noise[:, None], -1.0, 1.0
  )  # [n, B, A]
  values = np.array([nets.critic(observation, a) for a in candidates])
  assert len(set(values.argmax(axis=0))) > 1
  action = nets.export()(observation.numpy())
  np.testing.assert_allclose(
    nets.critic(observation, tf.constant(action)),
    values.max(axis=0),
    rtol=1e-4, atol=1e-5,
  )  # fmt: skip


def test_the_prior_imitates_everything():
  agent = make_agent('bear')
  (prior,) = agent.networks.priors
  networks_lib.copy_variables(agent.networks.policy, prior)
  assert update(agent, SNIPPETS)['prior_selected'] == 1
