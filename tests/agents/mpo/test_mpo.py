from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

from tests.agents import problems
from tests.agents.family import OfSnippets, make_agent, update

SNIPPETS = problems.first(problems.snippets(0, 1))


class TestMPO(OfSnippets):
  kind = 'mpo'


class TestMPOByDimension(OfSnippets):
  kind = 'mpo'
  options: ClassVar = {'per_dimension': True}


class TestBMMPO(OfSnippets):
  kind = 'bm_mpo'


class TestABMMPO(OfSnippets):
  kind = 'abm_mpo'


class TestABMMPOWithExponential(OfSnippets):
  kind = 'abm_mpo'
  options: ClassVar = {'advantage_filter': 'exponential'}


def proposals_of(agent):
  step = tf.constant(0, tf.int64)
  return agent.proposals(
    agent.look(SNIPPETS, step, agent.networks.target_policy), step
  )


@pytest.mark.parametrize(
  ('kind', 'changed', 'matters'),
  [
    ('mpo', 'target_policy', True),
    ('mpo', 'policy', False),
    ('abm_mpo', 'target_policy', False),
    ('abm_mpo', 'policy', False),
  ],
)
def test_whose_samples_they_are(kind, changed, matters):
  before = proposals_of(make_agent(kind))[0].numpy()
  agent = make_agent(kind)
  getattr(agent.networks, changed).head.b.assign([1.0, 1.0, 1.0, 1.0])
  assert (proposals_of(agent)[0].numpy() != before).any() == matters


def test_with_a_prior_they_are_the_priors():
  agent = make_agent('bm_mpo')
  before = proposals_of(agent)[0].numpy()
  agent.networks.priors[0].head.b.assign([1.0, 1.0, 1.0, 1.0])
  assert (proposals_of(agent)[0].numpy() != before).any()


@pytest.mark.parametrize('shape', [(), (2,)])
def test_a_policy_that_has_moved_too_far_is_held(shape):
  """Above their bounds the multipliers rise, below they fall."""
  changes = []
  for shift in (0.0, 1.0):
    agent = make_agent('mpo', per_dimension=bool(shape))
    assert agent.alpha_mean.value.shape == shape
    agent.networks.begin_reinforcement()
    agent.networks.policy.head.b.assign_add([shift, shift, 0.0, 0.0])
    before = agent.alpha_mean.value.numpy()
    update(agent, SNIPPETS)
    changes.append(agent.alpha_mean.value.numpy() - before)
  assert (changes[0] < 0).all()
  assert (changes[1] > 0).all()


def test_metrics_say_what_the_bounds_are_about():
  agent = make_agent('mpo')
  agent.networks.begin_reinforcement()
  metrics = update(agent, SNIPPETS)
  assert metrics['kl_mean'] == metrics['kl_covariance'] == 0  # At the start.
  assert metrics['temperature'] == 3.0
  update(agent, SNIPPETS)
  assert np.isfinite(list(update(agent, SNIPPETS).values())).all()
  assert update(agent, SNIPPETS)['kl_mean'] > 0
