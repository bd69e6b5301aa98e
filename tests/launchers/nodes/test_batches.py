"""The batches that an agent is given are of the kind that it declares."""

import dataclasses
import sys
import types

import numpy as np
import pytest

from agents import base, registry
from agents.bc.config import BCConfig
from agents.config import AgentConfig, ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from agents.entry import Entry
from datasets import types as data
from datasets.memory import Memory
from datasets.sampler import UniformSampler
from datasets.types import EnvironmentSpec
from launchers.nodes.batches import gather_for, sampler_for
from tests.datasets.samples import make_episode


@dataclasses.dataclass(frozen=True)
class MadeUpConfig(AgentConfig):
  """Of an agent that only a test has."""

  kind: str = 'made_up'
  batch_size: int = 10
  snippet_length: int = 4


class Idle(base.Agent):
  """One that learns nothing; its objective is what counts here."""

  def __init__(self, objective='none'):
    networks = registry.make_networks(BCConfig(), EnvironmentSpec(17, 6), 0)
    super().__init__('idle', networks, objective=ObjectiveConfig(objective))

  def update(self, batch, step):
    raise NotImplementedError


@pytest.fixture
def declare(monkeypatch):
  """Makes the made-up agent one that declares such batches."""

  def enter(batches):
    folder = types.ModuleType('agents.made_up')
    folder.ENTRY = Entry(MadeUpConfig, '', '', batches)  # type: ignore[attr-defined]  # What a folder enters.
    monkeypatch.setitem(sys.modules, 'agents.made_up', folder)
    monkeypatch.setitem(registry.KINDS, 'made_up', 'agents.made_up:ENTRY')

  return enter


def filled(n_step=1):
  memory = Memory(n_step, 0.9, with_labels=True)
  memory.extend(make_episode(i, 20, with_advice=True) for i in range(3))
  return memory


@pytest.mark.parametrize(
  ('batches', 'kind'),
  [
    ('transitions', data.Transition),
    ('demonstrations', data.Demonstration),
    ('snippets', data.Snippet),
    ('steps', data.Step),
  ],
)
def test_each_kind(batches, kind, declare):
  declare(batches)
  sample = sampler_for(MadeUpConfig(), Idle(), filled(), seed=3)
  batch = sample(first_step=0, num_steps=2)
  assert isinstance(batch, kind)
  # Ten transitions are three snippets of four.
  assert batch.observation.shape[:2] == (2, 3)
  if isinstance(batch, data.Snippet):
    assert batch.mask.shape == (2, 3, 4)


def test_the_batches_of_d4pg_are_those_of_before():
  config, memory = D4PGConfig(batch_size=8), filled(n_step=5)
  found = sampler_for(config, Idle(), memory, seed=3)(4, 2)
  plain = UniformSampler(memory.gather, memory.num_transitions, 8, seed=3)
  for one, other in zip(found[:5], plain(4, 2)[:5], strict=True):
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
  ('batch_size', 'length', 'items'),
  [(512, 10, 52), (512, 1, 512), (3, 10, 1), (20, 10, 2)],
)
def test_items_hold_the_transitions_of_a_batch(batch_size, length, items):
  config = MadeUpConfig(batch_size=batch_size, snippet_length=length)
  assert config.num_items == items
  assert BCConfig(batch_size=batch_size).num_items == batch_size


@pytest.mark.parametrize('batches', ['demonstrations', 'steps'])
@pytest.mark.parametrize('objective', ['between', 'q_filter'])
def test_what_items_do_not_hold_is_refused(batches, objective, declare):
  declare(batches)
  with pytest.raises(ValueError, match=f'{objective}.*{batches} do not hold'):
    gather_for(MadeUpConfig(), Idle(objective), filled())


def test_snippets_bring_advice_where_the_objective_asks(declare):
  declare('snippets')
  for objective, has_advice in (
    ('none', False), ('between', False), ('q_filter', True)
  ):  # fmt: skip
    memory = filled()
    batch = gather_for(MadeUpConfig(), Idle(objective), memory)(np.arange(9))
    if not has_advice:
      assert batch.teacher_action == ()
      continue
    expected = memory.advised(np.arange(9)).teacher_action
    np.testing.assert_array_equal(batch.teacher_action[:, 0], expected)
    assert not batch.teacher_action[~batch.mask].any()


def test_summed_rewards_are_refused_with_the_remedy(declare):
  declare('snippets')
  gather = gather_for(MadeUpConfig(), Idle(), filled(n_step=3))
  with pytest.raises(ValueError, match='n_step=1'):
    gather(np.arange(3))
