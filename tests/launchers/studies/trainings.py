"""A study of logs of a few lines, and trainings that nobody has done."""

from pathlib import Path
from typing import Any

from launchers.runs import provenance
from launchers.studies import config as study_config
from launchers.studies import file as study_file
from launchers.studies.config import Cell, Study
from launchers.studies.offline import OfflineCell
from launchers.studies.stages import FOUND, LOG
from tests.launchers.studies.samples import write_json

STUDY = """
title = 'Logs'
baseline = 'bc'
claim = []
run = {learner_steps = 400, evaluation_interval = 100}
grid = [{task = ['studies.point:make'], log = ['mixed'], seed = [0, 1],
         method = ['bc', 'abm_mpo', 'abm_mpo:prior', 'ddpg', 'bc:prior']}]
[logs.mixed]
make = 'studies.point:write_log?episodes=9'
"""
RETURNS = (1.0, 3.0, 2.0, 4.0)
MADE_BY = {
  'commit': '0' * 40, 'dirty': False, 'results': provenance.RESULTS,
}  # fmt: skip


def load(root: Path) -> Study:
  path = root / 'logs0.toml'
  path.write_text(STUDY)
  return study_file.load(path)


def train(runs: Path, cell: Cell, **changes: Any) -> Path:
  """Writes the directories of a cell and of its log; returns the cell's.

  Args:
    runs: that of the run directories.
    cell: of the study above.
    **changes: of what was found.
  """
  assert isinstance(cell, OfflineCell)
  start = study_config.directory(runs, 'starts') / cell.start.run_name
  log = {
    'configuration': cell.start.to_json(), 'episodes': 9, 'transitions': 180,
    'digest': 'a' * 64, 'return_mean': 2.0, 'return_std': 1.0,
    'return_max': 5.0,
  }  # fmt: skip
  made_by = {'provenance': MADE_BY}
  write_json(start / 'config.json', {**cell.start.to_json(), **made_by})
  write_json(start / LOG, log)
  root = study_config.directory(runs, 'cells') / cell.name
  config = {**cell.config.to_json(), 'data': [str(start / 'episodes')]}
  write_json(root / 'config.json', {**config, **made_by})
  write_json(root / 'study.json', {'cpu_seconds': 3.0, 'wall_seconds': 2.0})
  found = {'log': log, 'policy_digest': 'b' * 64, **made_by, **changes}
  write_json(root / FOUND, found)
  _write_tables(root, cell.config.agent.kind)
  return root


def _write_tables(root: Path, kind: str) -> None:
  head = 'step,episodes,return_mean,return_std'
  tail = ''
  if kind == 'abm_mpo':
    head += ',prior_return_mean,prior_return_std'
    tail = ',{},0.5'
  rows = [
    f'{100 * i},10,{value},0.5' + tail.format(value / 2)
    for i, value in enumerate(RETURNS, 1)
  ]
  (root / 'evaluation.csv').write_text('\n'.join([head, *rows, '']))
  column, sign = ('policy_loss', -1) if kind == 'ddpg' else ('value_mean', 1)
  values = [f'{100 * i},{sign * i * 4},50.0' for i in range(1, 5)]
  head = f'step,{column},steps_per_second'
  (root / 'metrics.csv').write_text('\n'.join([head, *values, '']))
