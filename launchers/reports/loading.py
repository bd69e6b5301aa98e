"""Reads a run directory whole, whatever state the run is in."""

from pathlib import Path

import pandas as pd

from datasets import files
from launchers.reports import readers, trainings
from launchers.reports.data import (
  EVALUATION_COLUMNS,
  CycleRecord,
  Estimate,
  RunRecord,
)
from launchers.reports.readers import NotARunError as NotARunError
from launchers.runs import schemas
from launchers.runs.frozen import options_of


def load_run(directory: Path) -> RunRecord:
  """Reads the directory of a run, or of an online or an offline training.

  A half-written last line is left out.

  Raises:
    NotARunError: it is none, or its config.json cannot be read.
  """
  config = readers.read_json(directory / 'config.json')
  if config is None:
    raise NotARunError(_explain(directory))
  if config.get('kind') == 'demonstrations':
    raise NotARunError(
      f'{directory} holds demonstrations, of which there is no report. A run '
      'learns from them: launchers.growing_batch with --demonstrations.path, '
      'or launchers.offline with --data.'
    )
  trained = trainings.load(directory, config)
  if trained is not None:
    training, cycle = trained
    options = options_of(config)
    return RunRecord(directory, options, None, '', [cycle], training)
  teacher = readers.read_json(directory / 'teacher.json')
  folders = sorted(
    path
    for path in (directory / 'cycles').glob('*')
    if path.name.isdigit() and path.is_dir()
  )
  return RunRecord(
    directory,
    options_of(config),
    Estimate.of(teacher, 'return_', 'episodes'),
    f'teacher {teacher["name"]}' if teacher and 'name' in teacher else '',
    [_load_cycle(path) for path in folders],
  )


def _load_cycle(directory: Path) -> CycleRecord:
  evaluation = readers.read_csv(
    directory / 'evaluation.csv', EVALUATION_COLUMNS
  )
  for column in EVALUATION_COLUMNS:
    if column not in evaluation:
      evaluation[column] = pd.Series(dtype=object)
    if column != 'kind':
      evaluation[column] = pd.to_numeric(evaluation[column])
  return CycleRecord(
    int(directory.name),
    readers.read_json(directory / 'cycle.json'),
    readers.read_csv(directory / 'metrics.csv', ('step', 'phase')),
    evaluation,
  )


def _explain(directory: Path) -> str:
  if not directory.is_dir():
    lines = [f'{directory} is no directory.']
  else:
    lines = [f'{directory} is no run directory: it has no config.json.']
  lines.append(
    'Expected runs/NAME, as launchers.growing_batch makes it: config.json, '
    'cycles/000/, cycles/001/, …'
  )
  places = {directory, directory.parent, Path('runs')}
  found = {path for place in places for path in place.glob('*/config.json')}
  known = sorted(str(path.parent) for path in found if _is_of_run(path))
  if known:
    lines.append('Runs here: ' + ', '.join(known[:10]))
  return '\n'.join(lines)


def _is_of_run(config: Path) -> bool:
  try:
    return schemas.read(config).get('kind') != 'demonstrations'
  except files.DamagedFileError:
    return True  # Its own report says what is wrong with it.
