"""The door for agents: what each enters is true, and another fits through."""

import dataclasses
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from agents import base, registry
from agents import learner as learner_lib
from agents.bc.config import BCConfig
from agents.bc.update import BC
from agents.config import ObjectiveConfig
from agents.deployed.policy import Snapshot
from agents.entry import Entry
from tests.agents import problems

SMALL = {
  f'{name}_layer_sizes': (8, 8)
  for name in ('policy', 'critic', 'vae', 'perturbation')
}
BATCHES = {
  'transitions': problems.transitions,
  'demonstrations': problems.demonstrations,
  'snippets': problems.snippets,
}
# What these deploy has candidates, and their own tests say which it takes.
CHOOSE = ('bcq', 'bcq_one_critic', 'bear', 'bear_mmd')


def small(kind):
  """The agent's configuration, with small networks."""
  make = registry.find(kind).config
  names = {field.name for field in dataclasses.fields(make)}
  return make(**{k: v for k, v in SMALL.items() if k in names})


def make(config, seed=0):
  networks = registry.make_networks(config, problems.SPEC, seed)
  agent = registry.make_agent(config, networks, ObjectiveConfig('none'), 10)
  return networks, agent


def action_of(networks, kind, observations):
  """What the modules do themselves; of a distribution, its mean."""
  if kind in CHOOSE:
    return networks.export()(observations.numpy())
  action = networks.policy(observations)
  if isinstance(action, tf.Tensor):
    return action.numpy()
  return np.clip(action.mean(), -1, 1)


@pytest.mark.parametrize('kind', registry.KINDS)
class TestEveryAgent:
  def test_its_config_names_it(self, kind):
    assert registry.find(kind).config().kind == kind

  def test_learns_from_the_batches_that_it_declares(self, kind):
    config = small(kind)
    networks, agent = make(config)
    sample = BATCHES[registry.find(kind).batches]
    before = problems.variables(networks)
    metrics = learner_lib.Learner(agent, sample).run(2)
    assert all(map(np.isfinite, metrics.values()))
    assert problems.differ(before, problems.variables(networks))

  def test_the_seed_makes_the_weights(self, kind):
    config = small(kind)
    first, second, other = (
      problems.variables(make(config, seed)[0]) for seed in (1, 1, 2)
    )
    problems.assert_equal(first, second)
    assert problems.differ(first, other)

  def test_its_exports_act_as_it_does(self, kind):
    networks, _ = make(small(kind))
    observations = problems.first(problems.transitions(0, 1)).observation
    snapshot = networks.snapshot({'task': 'toy'})
    read = Snapshot.from_bytes(snapshot.to_bytes())
    assert read.metadata['task'] == 'toy'
    expected = action_of(networks, kind, observations)
    for policy in (networks.export(), read.policy):
      np.testing.assert_allclose(
        policy(observations.numpy()), expected, atol=1e-6
      )

  def test_cycle_0_is_what_it_declares(self, kind):
    _, agent = make(small(kind))
    if 'pretrain' in registry.find(kind).phases:
      assert isinstance(agent.pretraining(), base.Agent)
    else:
      with pytest.raises(NotImplementedError, match='no critic'):
        agent.pretraining()


def test_names_and_configs_need_no_tensorflow():
  program = (
    'import sys\n'
    'from agents import registry\n'
    'for kind in registry.KINDS: registry.find(kind).config()\n'
    'assert "tensorflow" not in sys.modules\n'
  )
  subprocess.run([sys.executable, '-c', program], check=True, timeout=60)


def test_the_unknown_is_refused_with_the_known():
  with pytest.raises(ValueError, match="no agent 'bx'") as error:
    registry.find('bx')
  assert f'There are {", ".join(list(registry.KINDS))}' in str(error.value)


def test_what_cannot_learn_online_is_refused_with_what_can():
  for kind in ('d4pg', 'ddpg', 'mpo', 'svg'):
    registry.check_online(registry.find(kind).config())
  for kind in ('bc', 'abm', 'abm_mpo', 'bm_svg', 'bcq'):
    with pytest.raises(ValueError, match=f'agent {kind} learns from what') as e:
      registry.check_online(registry.find(kind).config())
    assert 'Online learn d4pg, ddpg, mpo, svg' in str(e.value)


def test_an_agent_has_the_usual_objective_where_it_can():
  usual = ObjectiveConfig('bc_decay')
  for kind, objective in (
    ('d4pg', usual),
    ('mpo', usual),
    ('bc', usual),
    ('bcq', ObjectiveConfig('none')),
  ):
    config = registry.find(kind).config()
    assert registry.default_objective(config, usual) == objective


def test_objectives_are_refused_with_what_can_be_done():
  registry.check_objective(registry.find('d4pg').config(), 'q_filter')
  with pytest.raises(ValueError, match=r'launchers\.offline --agent bc'):
    registry.check_objective(BCConfig(), 'none')


class HalfStep(BC):
  """Somebody's agent: BC that also says how far it is."""

  def update(self, batch, step):
    return {**super().update(batch, step), 'half': tf.cast(step, tf.float32)}


@dataclasses.dataclass(frozen=True)
class HalfStepConfig(BCConfig):
  kind: str = 'half'  # type: ignore[assignment]  # Another name than its own.


def test_another_agent_is_one_folder_and_one_line(monkeypatch):
  folder = types.ModuleType('agents.half')
  folder.HALF = Entry(  # type: ignore[attr-defined]  # What a folder enters.
    config=HalfStepConfig,
    networks='agents.bc.networks:BCNetworks',
    agent=f'{__name__}:HalfStep',
    batches='demonstrations',
    phases=('clone',),
  )
  monkeypatch.setitem(sys.modules, 'agents.half', folder)
  monkeypatch.setitem(registry.KINDS, 'half', 'agents.half:HALF')
  _, agent = make(small('half'))
  metrics = learner_lib.Learner(agent, problems.demonstrations).run(3)
  assert metrics['half'] == 1.0
