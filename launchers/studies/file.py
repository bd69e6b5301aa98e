"""Reads a study: a grid of runs and the claims that it is to decide.

title = 'Figure 4: …'
baseline = 'none'          # whom the others are compared with

[run]                      # options of launchers.growing_batch
actor_steps = 40_000
agent = {batch_size = 128}

[[grid]]                   # every combination is a run; they are run in this
                           # order: grid after grid, in each seed after seed,
                           # then tasks, tiers, cycles and methods as listed
task = ['cartpole-balance', 'cheetah-run']
tier = ['expert']
seed = [0, 1, 2]
cycles = [4]
method = ['none', 'bc_fixed']

[methods.my_method]        # beside METHODS: options again
objective = {kind = 'bc_fixed', weight = 2.0}

[[claim]]
id = 'A-C2a'
text = 'The fixed regularizer softens the drop.'
[[claim.test]]             # all of them must hold
measure = 'initial_drop'   # see launchers.studies.measures
method = 'bc_fixed'
above_method = 'none'      # or below_method, above = 0.9, below = 0.9
where = {cycles = 4}       # optional: only these runs
"""

from collections.abc import Mapping, Sequence
import dataclasses
import itertools
from pathlib import Path
from typing import Any, TypeVar

import tomli

from agents import registry
from agents.config import AgentConfig
from launchers.runs.config import GrowingBatchConfig
from launchers.studies.config import (
  AXES,
  METHODS,
  Cell,
  Claim,
  Options,
  Study,
  StudyError,
  Test,
  named,
)

# The outermost first. With the seed outside, a study that is stopped early has
# one seed of everything, which can be looked at, rather than all seeds of one
# method, which have nothing to be compared with.
_ORDER = ('seed', 'task', 'tier', 'cycles', 'method')
_BOUNDS = ('above', 'below', 'above_method', 'below_method')
_Config = TypeVar('_Config')


def load(path: Path, seeds: Sequence[int] = ()) -> Study:
  """Reads a study.

  Args:
    path: a TOML file.
    seeds: run these in place of the file's.

  Raises:
    StudyError: the file is no study; says what, where and what would do.
  """
  tree = _read(path)
  try:
    return _study(path.stem, tree, seeds)
  except (KeyError, TypeError, ValueError) as error:
    reason = f'it lacks {error}' if isinstance(error, KeyError) else error
    raise StudyError(f'{path}: {reason}') from error


def replace(config: _Config, options: Options) -> _Config:
  """A frozen tree of dataclasses with some of its leaves replaced.

  Raises:
    ValueError: there is no such option; lists those there are.
  """
  known = {field.name for field in dataclasses.fields(config)}  # type: ignore[arg-type]
  changes = {}
  for name, value in options.items():
    if name not in known:
      raise ValueError(f'no option {name!r}; there are {sorted(known)}.')
    old = getattr(config, name)
    if isinstance(old, AgentConfig) and 'kind' in value:
      old = registry.find(value['kind']).config()
    if dataclasses.is_dataclass(old):
      value = replace(old, value)
    changes[name] = tuple(value) if isinstance(value, list) else value
  return dataclasses.replace(config, **changes)  # type: ignore[type-var]


def _read(path: Path) -> dict[str, Any]:
  """The file's tree; what it does not say itself is what it extends."""
  try:
    tree = tomli.loads(path.read_text(encoding='utf-8'))
  except FileNotFoundError as error:
    known = ', '.join(sorted(map(str, Path('studies').glob('*.toml'))))
    raise StudyError(f'{path} does not exist. There are: {known}') from error
  except tomli.TOMLDecodeError as error:
    raise StudyError(f'{path} is no TOML: {error}') from error
  merged: dict[str, Any] = {}
  for base in tree.pop('extends', []):
    merged.update(_read(path.parent / base))
  return {**merged, **tree}


def _study(name: str, tree: Options, seeds: Sequence[int]) -> Study:
  _check_keys(
    tree, {'title', 'baseline', 'run', 'grid', 'claim'}, {'methods'}, 'a study'
  )
  base = replace(GrowingBatchConfig(), tree['run'])
  methods = {m: {'objective': o} for m, o in METHODS.items()}
  methods.update(tree.get('methods', {}))
  cells: dict[str, Cell] = {}
  for grid in tree['grid']:
    _check_keys(grid, set(AXES), set(), 'a grid')
    axes = {**grid, 'seed': list(seeds)} if seeds else grid
    for values in itertools.product(*(axes[axis] for axis in _ORDER)):
      cell = _cell(base, methods, dict(zip(_ORDER, values, strict=True)))
      cells.setdefault(cell.name, cell)
  used = {cell.method for cell in cells.values()}
  claims = tuple(_claim(claim, used) for claim in tree['claim'])
  if tree['baseline'] not in used:
    raise ValueError(f'the baseline {tree["baseline"]!r} is in no grid.')
  return Study(
    name, tree['title'], tree['baseline'], tuple(cells.values()), claims
  )


def _cell(
  base: GrowingBatchConfig,
  methods: Mapping[str, Options],
  axes: Mapping[str, Any],
) -> Cell:
  method, task = axes['method'], axes['task']
  if method not in methods:
    raise ValueError(f'no method {method!r}; there are {sorted(methods)}.')
  config = dataclasses.replace(
    base,
    task=task,
    teacher=f'{task}/{axes["tier"]}',
    seed=axes['seed'],
    cycles=axes['cycles'],
  )
  config = replace(config, methods[method])
  name = f'{task}-{axes["tier"]}-{method}-{axes["cycles"]}-{axes["seed"]}'
  return Cell(**axes, config=named(config, name))


def _claim(tree: Options, methods: set[str]) -> Claim:
  _check_keys(tree, {'id', 'text', 'test'}, set(), 'a claim')
  tests = tuple(_test(test, methods) for test in tree['test'])
  return Claim(tree['id'], tree['text'], tests)


def _test(tree: Options, methods: set[str]) -> Test:
  given = [key for key in _BOUNDS if key in tree]
  _check_keys(tree, {'measure', 'method'}, {'where', *_BOUNDS}, 'a test')
  if len(given) != 1:
    raise ValueError(f'a test has {given}; give it exactly one of {_BOUNDS}.')
  bound: float | str = tree[given[0]]
  for method in (tree['method'], bound):
    if isinstance(method, str) and method not in methods:
      raise ValueError(f'a test is about {method!r}, which is in no grid.')
  where = tree.get('where', {})
  _check_keys(where, set(), set(AXES[:-1]), 'where')
  is_above = given[0].startswith('above')
  return Test(tree['measure'], tree['method'], bound, is_above, where)


def _check_keys(
  tree: Options, needed: set[str], optional: set[str], what: str
) -> None:
  missing = needed - tree.keys()
  unknown = tree.keys() - needed - optional
  if missing or unknown:
    raise ValueError(
      f'{what} lacks {sorted(missing)} and has unknown {sorted(unknown)}; it '
      f'takes {sorted(needed | optional)}.'
    )
