"""Reads the grid of a study of logs: trainings from files, and their logs.

title = 'Priors …'
baseline = 'mpo'

[run]                      # options of launchers.offline
learner_steps = 3_000
evaluation_interval = 300

[agent]                    # options of every agent that has such an option
policy_layer_sizes = [64, 64]

[logs.mixed]               # made once a task and seed, in the study's runs
make = 'studies.point:write_log?episodes=500&right=0.2'

[logs.low]                 # or there already; the same for all seeds
data = ['runs/mpo-1/episodes', 'runs/mpo-2/episodes']
first_episodes = 2_000     # optional: of each directory

[[grid]]                   # ordered as in any study
task = ['studies.point:make']
log = ['mixed']
seed = [1, 2, 3]
method = ['mpo', 'abm_mpo', 'abm_mpo:prior', 'mine']

[methods.mine]             # beside the agents, by their names: options again
agent = {kind = 'abm_mpo', advantage_filter = 'exponential'}

Claims are as in `launchers.studies.file`. A method METHOD:prior is the prior
beside the policy of METHOD, of the same run.
"""

from collections.abc import Mapping, Sequence
import dataclasses
import itertools
from typing import Any

from agents import registry
from agents.config import AgentConfig
from datasets import closest
from datasets.schema import shortened
from launchers.environments import names
from launchers.runs.offline_config import OfflineConfig
from launchers.studies.leaves import replace
from launchers.studies.naming import Options
from launchers.studies.offline import (
  GIVEN,
  PRIOR,
  LogConfig,
  OfflineCell,
  column_of,
)

# The outermost first; see `launchers.studies.file`.
_ORDER = ('seed', 'task', 'log', 'method')


def columns(tree: Options, seeds: Sequence[int]) -> list[OfflineCell]:
  """The columns of a study, each once.

  Args:
    tree: of its file, of a checked shape.
    seeds: in place of the file's.

  Raises:
    ValueError: names an option, an agent, a method or a log that there is not.
  """
  for where, options in _options(tree):
    given = sorted(set(GIVEN) & options.keys())
    if given:
      raise ValueError(
        f'{where} has {given[0]}, which the grid and the logs give to each run.'
      )
  base = replace(OfflineConfig(), tree['run'])
  found: dict[str, OfflineCell] = {}
  for grid in tree['grid']:
    axes = {**grid, 'seed': list(seeds)} if seeds else grid
    for values in itertools.product(*(axes[axis] for axis in _ORDER)):
      named = dict(zip(_ORDER, values, strict=True))
      column = _column(base, tree, named)
      found.setdefault(column.column, column)
  _check_agent(tree.get('agent', {}), found.values())
  return list(found.values())


def _options(tree: Options) -> list[tuple[str, Options]]:
  methods = tree.get('methods', {}).items()
  return [('run', tree['run']), *((f'methods.{n}', m) for n, m in methods)]


def _column(
  base: OfflineConfig, tree: Options, axes: Mapping[str, Any]
) -> OfflineCell:
  task, method = names.canonical(axes['task']), axes['method']
  policy, _, part = method.partition(':')
  own = tree.get('methods', {})
  known = [*registry.KINDS, *own]
  if policy not in known or (':' in method and part != PRIOR):
    wanted = closest.among(policy, known)
    raise ValueError(
      f'no method {method!r}.{wanted} With :{PRIOR} after it, that beside it.'
    )
  options = {'agent': {'kind': policy}, **own.get(policy, {})}
  agent = options['agent']
  kind = agent.get('kind') if isinstance(agent, Mapping) else None
  if not isinstance(kind, str):
    raise ValueError(
      f'methods.{policy}.agent is {shortened(agent)}; give it a kind.'
    )
  usual = replace(registry.find(kind).config(), _fitting(tree, kind))
  config = dataclasses.replace(base, agent=usual, task=task, seed=axes['seed'])
  changes = {k: v for k, v in options['agent'].items() if k != 'kind'}
  config = replace(config, {**options, 'agent': changes})
  start = _log(tree['logs'], axes['log'], task, axes['seed'])
  return column_of(config, start, method)


def _fitting(tree: Options, kind: str) -> dict[str, Any]:
  """Of the options for every agent, those that this one has."""
  known = _names(registry.find(kind).config())
  return {k: v for k, v in tree.get('agent', {}).items() if k in known}


def _names(config: AgentConfig) -> set[str]:
  return {field.name for field in dataclasses.fields(config)} - {'kind'}


def _check_agent(options: Options, cells: Any) -> None:
  """Refuses an option that no agent of the grid has: it would say nothing."""
  known = set[str]().union(*(_names(cell.config.agent) for cell in cells))
  for name in options:
    if name not in known:
      raise ValueError(
        f'agent has {name!r}, which is an option of no agent of the grid.'
        f'{closest.among(name, sorted(known))}'
      )


def _log(
  logs: Mapping[str, Options], name: str, task: str, seed: int
) -> LogConfig:
  if name not in logs:
    raise ValueError(f'no log {name!r}.{closest.among(name, logs)}')
  log = logs[name]
  if 'make' in log:
    return LogConfig(
      task, name, seed, log['make'], (), log.get('first_episodes')
    )
  data = tuple(log['data'])
  return LogConfig(task, name, 0, '', data, log.get('first_episodes'))
