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

[teachers.'my.module:make']          # where a teacher is not TASK/TIER
expert = 'runs/online-arm/best.npz'  # an address, as after --teacher

A file with a table `logs` is of trainings from files: see `offline_file`.
"""

from collections.abc import Mapping, Sequence
import dataclasses
import itertools
from pathlib import Path
from typing import Any

import tomli

from datasets import closest
from datasets.schema import shortened
from launchers.environments import names
from launchers.runs.config import GrowingBatchConfig
from launchers.studies import file_check, offline_file
from launchers.studies.config import (
  METHODS,
  Cell,
  Claim,
  Options,
  RunCell,
  Study,
  StudyError,
  Test,
  address_of,
)
from launchers.studies.leaves import replace

# The outermost first. With the seed outside, a study that is stopped early has
# one seed of everything, which can be looked at, rather than all seeds of one
# method, which have nothing to be compared with.
_ORDER = ('seed', 'task', 'tier', 'cycles', 'method')


def load(path: Path, seeds: Sequence[int] = ()) -> Study:
  """Reads a study.

  Args:
    path: a TOML file.
    seeds: run these in place of the file's.

  Raises:
    StudyError: the file is no study; says what, where and what would do.
  """
  tree = _read(path, ())
  try:
    file_check.check(tree)
    return _study(path.stem, tree, seeds)
  except ValueError as error:
    raise StudyError(f'{path}: {error}') from error


def _read(path: Path, extended_by: tuple[Path, ...]) -> dict[str, Any]:
  """The file's tree; what it does not say itself is what it extends."""
  if path.resolve() in extended_by:
    raise StudyError(f'{path} extends itself.')
  try:
    tree = tomli.loads(path.read_text(encoding='utf-8'))
  except FileNotFoundError as error:
    known = sorted(map(str, Path('studies').glob('*.toml')))
    raise StudyError(
      f'{path} does not exist.{closest.among(str(path), known)}'
    ) from error
  except IsADirectoryError as error:
    known = sorted(map(str, path.glob('*.toml')))
    raise StudyError(
      f'{path} is a directory; name the file of a study.'
      f'{closest.among(str(path), known)}'
    ) from error
  except OSError as error:
    raise StudyError(f'{path} cannot be read: {error.strerror}.') from error
  except (ValueError, RecursionError) as error:  # Of the text, or of TOML.
    raise StudyError(f'{path} is no TOML: {error}') from error
  bases = tree.pop('extends', [])
  if not isinstance(bases, list) or not all(isinstance(b, str) for b in bases):
    raise StudyError(
      f'{path}: extends is {shortened(bases)}; give a list of files.'
    )
  merged: dict[str, Any] = {}
  for base in bases:
    merged.update(_read(path.parent / base, (*extended_by, path.resolve())))
  return {**merged, **tree}


def _study(name: str, tree: Options, seeds: Sequence[int]) -> Study:
  is_of_logs = 'logs' in tree
  columns = (offline_file.columns if is_of_logs else _cells)(tree, seeds)
  used = {cell.method for cell in columns}
  claims = tuple(_claim(claim, used) for claim in tree['claim'])
  if tree['baseline'] not in used:
    baseline = tree['baseline']
    raise ValueError(
      f'the baseline {baseline!r} is in no grid.'
      f'{closest.among(baseline, sorted(used))}'
    )
  return Study(
    name,
    tree['title'],
    tree['baseline'],
    tuple(columns),
    claims,
    _teachers(tree),
  )


def _teachers(tree: Options) -> dict[str, Any]:
  return {
    names.canonical(task): tiers
    for task, tiers in tree.get('teachers', {}).items()
  }


def _cells(tree: Options, seeds: Sequence[int]) -> list[Cell]:
  """The runs of a study of growing-batch runs, each once."""
  base = replace(GrowingBatchConfig(), tree['run'])
  methods = {m: {'objective': o} for m, o in METHODS.items()}
  methods.update(tree.get('methods', {}))
  teachers = _teachers(tree)
  cells: dict[str, Cell] = {}
  for grid in tree['grid']:
    axes = {**grid, 'seed': list(seeds)} if seeds else grid
    for values in itertools.product(*(axes[axis] for axis in _ORDER)):
      cell = _cell(
        base, methods, teachers, dict(zip(_ORDER, values, strict=True))
      )
      cells.setdefault(cell.name, cell)
  return list(cells.values())


def _cell(
  base: GrowingBatchConfig,
  methods: Mapping[str, Options],
  teachers: Mapping[str, Mapping[str, str]],
  axes: Mapping[str, Any],
) -> Cell:
  method, tier = axes['method'], axes['tier']
  task = names.canonical(axes['task'])
  if method not in methods:
    raise ValueError(f'no method {method!r}.{closest.among(method, methods)}')
  config = dataclasses.replace(
    base,
    task=task,
    teacher=address_of(teachers, task, tier),
    seed=axes['seed'],
    cycles=axes['cycles'],
  )
  config = replace(config, methods[method])
  return RunCell.of(config, tier, method)


def _claim(tree: Options, methods: set[str]) -> Claim:
  tests = tuple(_test(test, methods) for test in tree['test'])
  return Claim(tree['id'], tree['text'], tests)


def _test(tree: Options, methods: set[str]) -> Test:
  (limit,) = (key for key in file_check.LIMITS if key in tree)
  bound: float | str = tree[limit]
  for method in (tree['method'], bound):
    if isinstance(method, str) and method not in methods:
      raise ValueError(
        f'a test is about {method!r}, which is in no grid.'
        f'{closest.among(method, sorted(methods))}'
      )
  where = dict(tree.get('where', {}))
  if 'task' in where:
    where['task'] = names.canonical(where['task'])
  return Test(
    tree['measure'], tree['method'], bound, limit.startswith('above'), where,
    float(tree.get('times', 1.0)),
  )  # fmt: skip
