"""The agents there are; one folder and one line here each.

  config = registry.find('d4pg').config(n_step=3)
  networks = registry.make_networks(config, spec, seed=0)
  agent = registry.make_agent(config, networks, ObjectiveConfig(), 10_000)

Importing this module imports no TensorFlow; making networks does.
"""

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any, Optional

from agents.config import AgentConfig, Kind, ObjectiveConfig
from agents.entry import Entry
from datasets import closest
from datasets.types import EnvironmentSpec

if TYPE_CHECKING:
  from agents import base
  from agents.parts import regularizers

KINDS = {
  'bc': 'agents.bc:ENTRY',
  'd4pg': 'agents.d4pg:ENTRY',
  'ddpg': 'agents.ddpg:ENTRY',
  'mpo': 'agents.mpo:MPO',
  'bm_mpo': 'agents.mpo:BM_MPO',
  'abm_mpo': 'agents.mpo:ABM_MPO',
  'svg': 'agents.svg:SVG',
  'bm_svg': 'agents.svg:BM_SVG',
  'abm_svg': 'agents.svg:ABM_SVG',
  'bm': 'agents.abm:BM',
  'abm': 'agents.abm:ABM',
  'bcq': 'agents.bcq:BCQ',
  'bcq_one_critic': 'agents.bcq:ONE_CRITIC',
  'bear': 'agents.bear:BEAR',
  'bear_mmd': 'agents.bear_mmd:BEAR_MMD',
}
"""By the agent's name, where its folder enters it: 'module:entry'."""


def find(kind: str) -> Entry:
  """The entry of an agent.

  Raises:
    ValueError: there is none of that name; lists those that are.
  """
  if kind not in KINDS:
    raise ValueError(f'There is no agent {kind!r}.{closest.among(kind, KINDS)}')
  return _load(KINDS[kind])


def having(option: str) -> list[str]:
  """The agents whose configuration has such a field."""
  return [
    kind
    for kind in KINDS
    if option in (f.name for f in dataclasses.fields(find(kind).config))
  ]


def check_objective(config: AgentConfig, objective: Kind) -> None:
  """Refuses an objective that an agent's policy cannot minimise in a run.

  Raises:
    ValueError: says what the agent can do.
  """
  entry = find(config.kind)
  objectives = entry.objectives
  because = f': {entry.why_no_other}' if entry.why_no_other else ''
  if not objectives:
    raise ValueError(
      f'The agent {config.kind} learns in no run, but from files: python -m '
      f'launchers.offline --agent {config.kind} --data DIR.'
    )
  if objective not in objectives:
    raise ValueError(
      f'The agent {config.kind} has no objective {objective!r}{because}; '
      f'choose {"one of " * (len(objectives) > 1)}'
      f'--objective.kind {", ".join(objectives)}.'
    )


def check_online(config: AgentConfig) -> None:
  """Refuses an agent that cannot learn while it acts.

  Raises:
    ValueError: says which can.
  """
  if not find(config.kind).is_online:
    able = ', '.join(kind for kind in KINDS if find(kind).is_online)
    raise ValueError(
      f'The agent {config.kind} learns from what others acted: python -m '
      f'launchers.offline --agent {config.kind} --data DIR. Online learn '
      f'{able}.'
    )


def default_objective(
  config: AgentConfig, usual: ObjectiveConfig
) -> ObjectiveConfig:
  """The usual objective, or the first of an agent that has others alone."""
  objectives = find(config.kind).objectives
  if not objectives or usual.kind in objectives:
    return usual
  return ObjectiveConfig(objectives[0])


def make_networks(
  config: AgentConfig, spec: EnvironmentSpec, seed: int
) -> 'base.Networks':
  """Networks whose first weights depend on nothing but the seed."""
  import tensorflow as tf

  tf.random.set_seed(seed)
  networks = _load(find(config.kind).networks)(config, spec)
  networks.seed = seed
  return networks


def make_agent(
  config: AgentConfig,
  networks: 'base.Networks',
  objective: ObjectiveConfig,
  total_steps: int,
  teacher_gradient: 'Optional[regularizers.Gradient]' = None,
) -> 'base.Agent':
  """The agent that trains these networks.

  Args:
    config: names the agent, with its hyper-parameters.
    networks: of the same config; trained in place.
    objective: what the policy minimises.
    total_steps: learner steps of the whole run; schedules end there.
    teacher_gradient: [B, S] and [B, A] to a teacher's dQ*/da, [B, A]; for the
      objectives that use one.
  """
  make = _load(find(config.kind).agent)
  return make(config, networks, objective, total_steps, teacher_gradient)


def _load(path: str) -> Any:
  module, _, name = path.partition(':')
  return getattr(importlib.import_module(module), name)
