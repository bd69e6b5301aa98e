"""A study of a few lines, and runs of it that nobody trained."""

from collections.abc import Callable, Mapping
import hashlib
import json
from pathlib import Path
from typing import Any

from launchers.runs import provenance
from launchers.studies import config as study_config
from launchers.studies import file as study_file
from launchers.studies.archive import Archive
from launchers.studies.config import Cell, Study

TASKS = {'cartpole-balance': 1000.0, 'cheetah-run': 800.0}
"""And the return that their experts have in these runs."""
CYCLES, STEPS, INTERVAL = 2, 800, 100

GRID: Mapping[str, Any] = {
  'task': list(TASKS),
  'tier': ['expert'],
  'seed': [0, 1, 2],
  'cycles': [CYCLES],
  'method': ['none', 'bc_fixed'],
}
PROVENANCE = {
  'commit': '0' * 40, 'dirty': False, 'cpu': 'a CPU', 'cores': 2,
  'results': provenance.RESULTS,
}  # fmt: skip
LEARNER = {'phase': 'learn', 'step': 400, 'steps_per_second': 123.4}
HEAD = 'cycle,step,kind,episodes,return_mean,return_std,return_min,return_max'

Score = Callable[[Cell, int], float]
"""The return over the expert's, of a cell after some learner steps."""


def claim(measure: str, method: str, **bound: Any) -> str:
  """A claim of one test, as TOML."""
  test = {'measure': measure, 'method': method, **bound}
  where = test.pop('where', {})
  lines = [f'{key} = {json.dumps(value)}' for key, value in test.items()]
  lines += [f'where.{axis} = {json.dumps(v)}' for axis, v in where.items()]
  return '\n'.join(
    [
      '[[claim]]',
      "id = 'A-C0'",
      "text = 'T <b>&</b>'",
      '[[claim.test]]',
      *lines,
    ]
  )


def make(
  root: Path,
  *claims: str,
  grid: Mapping[str, Any] = GRID,
  interval: int = INTERVAL,
  learner_steps: int = STEPS,
  more: str = '',
) -> Path:
  """Writes a study's file; `more` stands after its grid."""
  lines = [
    "title = 'Figure 0: a <test>'",
    "baseline = 'none'",
    '[run]',
    'actor_steps = 16_000',
    f'learner_steps = {learner_steps}',
    f'evaluation.interval = {interval}',
    '[[grid]]',
    *(f'{axis} = {json.dumps(values)}' for axis, values in grid.items()),
    more,
    *(claims or [claim('late', 'bc_fixed', above_method='none')]),
  ]
  path = root / 'figure0.toml'
  path.write_text('\n'.join(lines))
  return path


def load(path: Path) -> Study:
  return study_file.load(path, ())


def rising(cell: Cell, step: int) -> float:
  """`none` loses half of its start first, `bc_fixed` is 0.05 better."""
  better = 0.0 if cell.method == 'none' else 0.05
  lost = 0.25 if cell.method == 'none' and step == INTERVAL else 0.0
  return 0.5 + 0.4 * step / STEPS + better * (step > 0) - lost


def run(
  runs: Path,
  cell: Cell,
  score: Score = rising,
  finished: int = CYCLES,
  expert: float = 0.0,
) -> Path:
  """Writes the directory of a cell, as launchers.growing_batch would."""
  root = study_config.directory(runs, 'cells') / cell.name
  expert = expert or TASKS[cell.task]
  teacher = expert if cell.tier == 'expert' else 0.7 * expert
  write_json(root / 'config.json', cell.config.to_json())
  write_json(root / 'teacher.json', {'return_mean': teacher, 'episodes': 10})
  demonstrator = {'name': 'it', 'version': 'v1', 'task': [cell.task, 5, 1]}
  write_json(root / 'demonstrator.json', demonstrator)
  write_json(root / 'study.json', {'cpu_seconds': 3.0, 'wall_seconds': 2.0})
  for cycle in range(finished + 1):
    last = STEPS // CYCLES * cycle
    steps = range(last - STEPS // CYCLES + INTERVAL, last + 1, INTERVAL)
    rows = [
      f'{cycle},{step},interval,1,{expert * score(cell, step)},0,0,0'
      for step in (steps if cycle else ())
    ]
    rows.append(f'{cycle},{last},final,10,{expert * score(cell, last)},0,0,0')
    directory = root / 'cycles' / f'{cycle:03d}'
    write_json(directory / 'cycle.json', cycle_record(cell, cycle))
    (directory / 'evaluation.csv').write_text('\n'.join([HEAD, *rows, '']))
  return root


def cycle_record(cell: Cell, cycle: int) -> dict[str, Any]:
  """What the conductor writes of a cycle."""
  digest = hashlib.sha256(f'{cell.name} {cycle}'.encode()).hexdigest()
  return {
    'cycle': cycle,
    'episodes': 8,
    'steps': 8_000,
    'digest': digest,
    'refused': 0,
    'collected_return_mean': 1 / 3,
    'collected_return_std': 0.1,
    'evaluation_return_mean': 2 / 3,
    'evaluation_return_std': 0.2,
    'evaluation_episodes': 10,
    'learner_steps': STEPS // CYCLES * cycle,
    'learner': LEARNER,
    'acted_steps': 8_000,
    'seconds': {'act': 1.5},
    'policy_digest': digest[::-1],
    'provenance': PROVENANCE,
  }


def archive(root: Path) -> Archive:
  """Of run directories in root/runs and files of cells in root/kept."""
  return Archive(root / 'runs', root / 'kept')


def write_json(path: Path, record: Any) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(json.dumps(record))
