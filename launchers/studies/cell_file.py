"""A finished run as one small file, which other machines can go on from.

JSON, at most MAX_BYTES, one line a column of numbers; docs/studies.md says what
is in it. `digest` is of all that a rerun must give again, to the last bit: two
files of a cell are of the same result when their digests are the same.
"""

from collections.abc import Iterable, Mapping
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pandas as pd

from datasets import files
from launchers.reports.data import (
  EVALUATION_COLUMNS,
  CycleRecord,
  Estimate,
  RunRecord,
)
from launchers.studies import cell_check
from launchers.studies.cell_check import CellFileError
from launchers.studies.results import Result

MAX_BYTES = 200_000
_MAX_LOSS_BYTES = 60_000

_REPRODUCED = ('name', 'configuration', 'teachers', 'teacher_return', 'cycles')
_SPENT = ('refused', 'acted_steps', 'seconds')
_SPEED = 'steps_per_second'
_KEPT = (*cell_check.SUMMARY, *cell_check.OF_LOGS)
_CURVE = (*EVALUATION_COLUMNS, 'episodes')


def write(path: Path, result: Result, command: str) -> None:
  """Writes a cell, whole or not at all.

  Args:
    path: of the file, NAME.json.
    result: what the run found.
    command: that runs this cell again, alone.

  Raises:
    CellFileError: the cell is larger than MAX_BYTES.
  """
  data = (_lines(_to_tree(result, command)) + '\n').encode()
  if len(data) > MAX_BYTES:
    raise CellFileError(
      path, '', f'{len(data):,} bytes, more than {MAX_BYTES:,}. Evaluate less '
      'often: run.evaluation.interval.',
    )  # fmt: skip
  files.remove_aside(files.make_directory(path.parent))
  files.write_bytes(path, data)


def read(path: Path) -> Result:
  """Reads a cell.

  Raises:
    CellFileError: the file is no cell, or is damaged; names file and place.
  """
  tree = load(path)
  cycles = [
    _to_cycle(cycle, spent, tree['provenance'])
    for cycle, spent in zip(tree['cycles'], tree['spent'], strict=True)
  ]
  teacher, teachers = tree['teacher_return'], tree['teachers']
  name = teachers.get('demonstrator', {}).get('name', '')
  run = RunRecord(
    path,
    tree['configuration'],
    Estimate(teacher['mean'], teacher['std'], teacher['episodes']),
    f'teacher {name}' if name else '',
    cycles,
  )
  return Result(run, teachers, tree['cost'], tree['start_cost'])


def load(path: Path) -> dict[str, Any]:
  """A cell's tree as it is written, checked.

  Raises:
    CellFileError: the file is no cell, or is damaged; names file and place.
  """
  size = path.stat().st_size
  if size > MAX_BYTES:
    raise CellFileError(path, '', f'{size:,} bytes; cells have {MAX_BYTES:,}')
  tree = cell_check.parse(path)
  if tree['digest'] != _digest(tree):
    raise CellFileError(
      path, 'digest', f'{tree["digest"]} is not that of what the file holds, '
      f'{_digest(tree)}: it was altered',
    )  # fmt: skip
  return tree


def compare(path: Path, result: Result) -> str:
  """What a rerun gave otherwise than a cell's file; '' if all is the same.

  Raises:
    CellFileError: the file is no cell, or is damaged; names file and place.
  """
  old = load(path)
  new = _to_tree(result, old['command'])
  if old['digest'] == new['digest']:
    return ''
  pairs = (_difference(old[key], new[key], key) for key in _REPRODUCED)
  return next(filter(None, pairs))


def _to_tree(result: Result, command: str) -> dict[str, Any]:
  run, teacher = result.run, result.run.teacher
  assert teacher is not None  # Else no `Result` is made.
  step, losses = _thinned(run.cycles)
  cycles = [
    _from_cycle(cycle, of_cycle)
    for cycle, of_cycle in zip(run.cycles, losses, strict=True)
  ]
  tree = {
    'format': cell_check.FORMAT,
    'name': run.name,
    'command': command,
    'digest': '',
    'configuration': run.config,
    'teachers': result.teachers,
    'teacher_return': {
      'mean': teacher.mean, 'std': teacher.std, 'episodes': teacher.episodes,
    },
    'losses_are_of_every': step,
    'cycles': cycles,
    'provenance': result.provenance,
    'cost': result.cost,
    'start_cost': result.start_cost,
    'spent': [_only(cycle.summary or {}, _SPENT) for cycle in run.cycles],
  }  # fmt: skip
  return {**tree, 'digest': _digest(tree)}


def _from_cycle(cycle: CycleRecord, losses: Any) -> dict[str, Any]:
  known = [name for name in _CURVE if name in cycle.evaluation]
  return {
    **_only(cycle.summary or {}, _KEPT),
    'evaluations': _columns(cycle.evaluation[known], 'kind', 1),
    'losses': losses,
  }


def _to_cycle(
  tree: Mapping[str, Any],
  spent: Mapping[str, Any],
  provenance: list[dict[str, Any]],
) -> CycleRecord:
  number = tree['cycle']
  summary = {**_only(tree, _KEPT), **spent}
  for entry in provenance:
    if number in entry['cycles']:
      made_by = {key: v for key, v in entry.items() if key != 'cycles'}
      summary['provenance'] = made_by
  evaluation = _frame(tree['evaluations'], 'kind')
  return CycleRecord(
    number,
    summary,
    _frame(tree['losses'], 'phase'),
    evaluation.reindex(
      columns=list(dict.fromkeys([*EVALUATION_COLUMNS, *evaluation]))
    ),
  )


def _thinned(cycles: list[CycleRecord]) -> tuple[int, list[Any]]:
  """The losses of the cycles, of every n-th row that was logged.

  The curve is never thinned, the verdicts are made of it. What is left out
  depends on nothing but the losses, so that a rerun leaves out the same.
  """
  # How fast it learned is not given again by a rerun.
  logged = [c.metrics.drop(columns=_SPEED, errors='ignore') for c in cycles]
  step = 1
  while True:
    losses = [_columns(frame, 'phase', step) for frame in logged]
    longest = max((len(frame) for frame in logged), default=0)
    if len(json.dumps(losses)) <= _MAX_LOSS_BYTES or step > longest:
      return step, losses
    step *= 2


def _columns(frame: pd.DataFrame, by: str, step: int) -> dict[str, Any]:
  """Numbers by group and column; of every `step`-th row, and of the last."""
  if by not in frame:
    return {}
  groups = {}
  for group, rows in frame.groupby(by, sort=False):
    rows = rows.drop(columns=by).iloc[(len(rows) - 1) % step :: step]
    rows = rows.apply(pd.to_numeric).dropna(axis='columns', how='all')
    groups[str(group)] = {
      name: [None if pd.isna(v) else v for v in column.tolist()]
      for name, column in rows.items()
    }
  return groups


def _frame(groups: Mapping[str, Any], by: str) -> pd.DataFrame:
  frames = [pd.DataFrame(c).assign(**{by: g}) for g, c in groups.items()]
  return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _only(tree: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
  return {key: tree[key] for key in keys if key in tree}


def _digest(tree: Mapping[str, Any]) -> str:
  kept = {key: tree[key] for key in _REPRODUCED}
  text = json.dumps(kept, sort_keys=True, allow_nan=False)
  return hashlib.sha256(text.encode()).hexdigest()


def _difference(old: Any, new: Any, where: str) -> str:
  """The first place where two trees differ, and how; '' if they do not."""
  if isinstance(old, Mapping) and isinstance(new, Mapping):
    keys: Iterable[Any] = dict.fromkeys([*old, *new])
    pairs = ((f'{where}.{k}', old.get(k), new.get(k)) for k in keys)
  elif isinstance(old, list) and isinstance(new, list):
    both = enumerate(itertools.zip_longest(old, new))
    pairs = ((f'{where}[{n}]', a, b) for n, (a, b) in both)
  else:
    short = [repr(value)[:80] for value in (old, new)]
    return '' if old == new else f'{where}: {short[0]} there, {short[1]} here'
  return next(filter(None, (_difference(a, b, w) for w, a, b in pairs)), '')


def _lines(tree: Any, indent: str = '') -> str:
  """JSON with a line a member, but one for a whole list of numbers."""
  inner = indent + ' '
  if isinstance(tree, Mapping) and tree:
    members = [
      f'{inner}{json.dumps(k)}: {_lines(v, inner)}' for k, v in tree.items()
    ]
  elif isinstance(tree, list) and tree and isinstance(tree[0], Mapping):
    members = [inner + _lines(value, inner) for value in tree]
  else:
    return json.dumps(tree, separators=(',', ':'), allow_nan=False)
  ends = '{}' if isinstance(tree, Mapping) else '[]'
  return f'{ends[0]}\n' + ',\n'.join(members) + f'\n{indent}{ends[1]}'
