import numpy as np
import pytest
import tensorflow as tf

from agents.parts import duals
from agents.parts import networks as networks_lib
from agents.parts.snippets import masked_mean
from tests.agents import problems
from tests.agents.family import OfSnippets, make_agent, update

SNIPPETS = problems.first(problems.snippets(0, 1))
STEP = tf.constant(0, tf.int64)


class TestSVG(OfSnippets):
  kind = 'svg'


class TestBMSVG(OfSnippets):
  kind = 'bm_svg'


class TestABMSVG(OfSnippets):
  kind = 'abm_svg'


def policy_gradient(agent):
  """Of the policy's loss, and what it does to the target critic."""
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  with tf.GradientTape(persistent=True) as tape:
    improvement = agent.improve(view, STEP)
    loss = masked_mean(improvement.loss, view.mask)
    for constraint in improvement.constraints:
      loss += duals.penalty(constraint)
  return tape.gradient(loss, agent.networks.policy.trainable_variables)


def test_with_the_prior_at_the_policy_it_is_plain():
  """Invariant B-I7."""
  agent, plain = make_agent('bm_svg'), make_agent('svg')
  for module in (agent.networks, plain.networks):
    networks_lib.copy_variables(plain.networks.policy, module.policy)
    networks_lib.copy_variables(
      plain.networks.target_critic, module.target_critic
    )
  (prior,) = agent.networks.priors
  networks_lib.copy_variables(agent.networks.policy, prior)
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  assert agent.improve(view, STEP).metrics['kl_prior'].numpy() == 0
  for a, b in zip(policy_gradient(agent), policy_gradient(plain), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(('shift', 'rises'), [(0.0, False), (2.0, True)])
def test_the_multiplier_rises_iff_the_prior_is_far(shift, rises):
  """Invariants B-I7 and D-I3."""
  agent = make_agent('bm_svg', epsilon=0.2)
  (prior,) = agent.networks.priors
  networks_lib.copy_variables(agent.networks.policy, prior)
  prior.head.b.assign_add([shift, 0.0, 0.0, 0.0])
  before = agent.multiplier.value.numpy()
  kl = update(agent, SNIPPETS)['kl_prior']
  assert (kl > 0.2) == rises
  assert (agent.multiplier.value.numpy() > before) == rises


def test_it_climbs_the_target_critic_through_its_samples():
  """The gradient is that of the mean of Q'(s, mean + std * xi)."""
  agent = make_agent('svg')
  view = agent.look(SNIPPETS, STEP, agent.networks.target_policy)
  nets = agent.networks
  noise = (
    nets.policy(view.observation).sample(5, seed=agent.random_seed(STEP, 1))
    - nets.policy(view.observation).mean()
  ) / nets.policy(view.observation).stddev()
  with tf.GradientTape() as tape:
    policy = nets.policy(view.observation)
    values = [
      nets.target_critic(
        view.observation, policy.mean() + policy.stddev() * noise[m]
      )
      for m in range(5)
    ]
    loss = -tf.reduce_sum(tf.stack(values) * view.mask) / (
      5 * tf.reduce_sum(view.mask)
    )
  expected = tape.gradient(loss, nets.policy.trainable_variables)
  for a, b in zip(policy_gradient(agent), expected, strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
