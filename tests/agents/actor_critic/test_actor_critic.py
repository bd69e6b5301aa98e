"""What MPO, SVG, BEAR and the priors share, on the simplest of them."""

import numpy as np
import pytest
import tensorflow as tf

from agents.actor_critic.update import FILTERS, imitation
from agents.config import ObjectiveConfig
from agents.mpo.update import MPO
from tests.agents import problems
from tests.agents.family import make_agent, update

SNIPPETS = problems.first(problems.snippets(0, 1, shape=(6, 4)))
STEP = tf.constant(7, tf.int64)


def test_targets_are_of_the_next_state():
  """R + g d V(s'), B-amb-1; V is the mean over samples of both targets."""
  agent = make_agent('svg')
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  nets, gamma = agent.networks, agent.config.discount
  flat = tf.reshape(SNIPPETS.observation, [-1, 3])
  seed = agent.random_seed(STEP, 0)
  actions = nets.target_policy(flat).sample(5, seed=seed).numpy()
  q = np.array([nets.target_critic(flat, tf.constant(a)) for a in actions])
  value = q.mean(axis=0).reshape(6, 5)
  expected = SNIPPETS.reward + gamma * SNIPPETS.discount * value[:, 1:]
  np.testing.assert_allclose(
    view.target.numpy().reshape(6, 4), expected, rtol=1e-4, atol=1e-5
  )
  np.testing.assert_allclose(
    view.sample_values.numpy().reshape(5, 6, 4),
    q.reshape(5, 6, 5)[:, :, :-1],
    rtol=1e-4, atol=1e-5,
  )  # fmt: skip


def test_advantages_are_of_the_rest_of_the_snippet():
  """B-amb-2: R from t on, and not of the whole."""
  agent = make_agent('svg')
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  value = view.sample_values.numpy().mean(axis=0).reshape(6, 4)
  advantage = view.advantage.numpy().reshape(6, 4)
  mask = SNIPPETS.mask.numpy()
  # One step from the end of what is there, it is the error of one step.
  target = view.target.numpy().reshape(6, 4)
  for row in range(6):
    last = mask[row].sum() - 1
    assert advantage[row, last] == pytest.approx(
      target[row, last] - value[row, last], abs=1e-5
    )
    for t in range(last):
      following = advantage[row, t + 1] + value[row, t + 1]
      gamma = agent.config.discount * SNIPPETS.discount.numpy()[row, t]
      expected = SNIPPETS.reward.numpy()[row, t] + gamma * following
      assert advantage[row, t] == pytest.approx(
        expected - value[row, t], abs=1e-5
      )


@pytest.mark.parametrize('kind', ['mpo', 'abm_mpo', 'abm_svg', 'abm'])
def test_padding_does_not_matter(kind):
  results = []
  for value in (0.0, 100.0):
    agent = make_agent(kind)
    outside = ~SNIPPETS.mask
    batch = SNIPPETS._replace(
      action=tf.where(outside[..., None], 0.01 * value, SNIPPETS.action),
      reward=tf.where(outside, value, SNIPPETS.reward),
    )
    metrics = update(agent, batch)
    results.append([*problems.variables(agent.networks), *metrics.values()])
  problems.assert_equal(*map(lambda r: [np.asarray(x) for x in r], results))


def test_all_weights_at_1_are_the_behaviour_model():
  """Invariant B-I2."""
  agent = make_agent('abm')
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  always = view._replace(advantage=tf.abs(view.advantage))
  policy = agent.networks.policy
  losses = [
    imitation(policy, always, FILTERS[name](always.advantage)).numpy()
    for name in ('everything', 'advantageous')
  ]
  np.testing.assert_array_equal(*losses)
  likelihood = policy(view.observation).log_prob(view.action).numpy()
  np.testing.assert_array_equal(losses[0], -likelihood)


def test_an_empty_selection_has_no_gradient():
  agent = make_agent('abm')
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  policy = agent.networks.policy
  with tf.GradientTape() as tape:
    loss = imitation(policy, view, tf.zeros_like(view.mask))
  for gradient in tape.gradient(loss, policy.trainable_variables):
    np.testing.assert_array_equal(gradient, 0)


def test_the_prior_is_fitted_by_the_log_alone():
  """It has no gradient of the policy's loss, and the critic none of its."""
  results = []
  for shift in (0.0, 3.0):
    agent = make_agent('bm_mpo')
    agent.networks.policy.head.b.assign_add([shift, 0, 0, 0])
    update(agent, SNIPPETS)
    nets = agent.networks
    results.append(problems.variables(*nets.priors, nets.critic))
  problems.assert_equal(*results)


def test_a_teachers_gradient_is_refused_where_nothing_follows_it():
  agent = make_agent('mpo')
  objective = ObjectiveConfig('teacher_grad')
  with pytest.raises(ValueError, match="mpo has no objective 'teacher_grad'"):
    MPO(agent.config, agent.networks, objective)


def test_draws_differ_by_step_and_purpose_and_come_again():
  agent = make_agent('svg')
  seeds = {
    tuple(agent.random_seed(tf.constant(step, tf.int64), purpose).numpy())
    for step in (0, 1, 2)
    for purpose in (0, 1)
    for _ in range(2)
  }
  assert len(seeds) == 6
