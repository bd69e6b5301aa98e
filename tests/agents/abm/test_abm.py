import numpy as np

from tests.agents import problems
from tests.agents.family import OfSnippets, make_agent, update

SNIPPETS = problems.first(problems.snippets(0, 1))


class TestBM(OfSnippets):
  kind = 'bm'


class TestABM(OfSnippets):
  kind = 'abm'


def test_the_policy_is_the_prior():
  """Invariant B-I11: nothing else acts, and no other policy exists."""
  agent = make_agent('abm')
  nets = agent.networks
  assert nets.priors == []
  acted = nets.export()(np.ones((8, 3), np.float32))
  update(agent, SNIPPETS)
  assert (nets.export()(np.ones((8, 3), np.float32)) != acted).any()


def test_the_behaviour_model_does_not_ask_its_critic():
  results = []
  for shift in (0.0, 5.0):
    agents = [make_agent(kind) for kind in ('bm', 'abm')]
    for agent in agents:
      agent.networks.target_critic.head.b.assign([shift])
      agent.networks.target_critic.head.w.assign_add([[shift]] * 16)
      update(agent, SNIPPETS)
    results.append([problems.variables(a.networks.policy) for a in agents])
  (bm, abm), (other_bm, other_abm) = results
  problems.assert_equal(bm, other_bm)
  assert problems.differ(abm, other_abm)


def test_selection_is_said():
  assert update(make_agent('bm'), SNIPPETS)['selected'] == 1
  assert 0 < update(make_agent('abm'), SNIPPETS)['selected'] < 1
