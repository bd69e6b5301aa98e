"""A finished training from files, as the run of a study."""

import dataclasses
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pandas as pd

from launchers.reports import readers
from launchers.reports.data import (
  EVALUATION_COLUMNS,
  CycleRecord,
  Estimate,
  RunRecord,
)
from launchers.reports.loading import load_run
from launchers.runs import schemas
from launchers.studies.offline import PRIOR, configuration_of
from launchers.studies.stages import FOUND


def load(root: Path) -> tuple[Optional[RunRecord], str]:
  """A finished training, or why there is none, without a path of this machine.

  It is a run of cycle 1 alone, whose teacher is who acted in its log.

  Args:
    root: its directory.

  Raises:
    NotARunError: a file of it cannot be read.
    files.DamagedFileError: likewise.
  """
  run = load_run(root)
  if not (root / FOUND).exists():
    return None, f'unfinished: {run.training}'
  found = schemas.read(root / FOUND)
  (cycle,) = run.cycles
  rows = readers.read_csv(root / 'evaluation.csv', ('step',))
  own = cycle.evaluation
  if not len(own) or own['return_mean'].isna().any():
    return None, 'finished, but an evaluation of it failed'
  summary = {
    **_summary(found['log'], own.iloc[-1], run.config),
    'policy_digest': found['policy_digest'],
    'provenance': found['provenance'],
    **_highest_value(run.config['agent']['kind'], cycle.metrics),
  }
  evaluation = pd.concat([own, *_of_prior(rows)], ignore_index=True)
  record = CycleRecord(1, summary, cycle.metrics, evaluation)
  log = found['log']
  return dataclasses.replace(
    run,
    config=configuration_of(run.config, log['configuration']),
    teacher=Estimate(log['return_mean'], log['return_std'], log['episodes']),
    cycles=[record],
  ), ''


def _summary(
  log: dict[str, Any], last: pd.Series, config: dict[str, Any]
) -> dict[str, Any]:
  """As cycle.json has it; what was collected is the log."""
  return {
    'cycle': 1,
    'episodes': log['episodes'],
    'steps': log['transitions'],
    'digest': log['digest'],
    'collected_return_mean': log['return_mean'],
    'collected_return_std': log['return_std'],
    'collected_return_max': log['return_max'],
    'evaluation_return_mean': float(last['return_mean']),
    'evaluation_return_std': float(last['return_std']),
    'evaluation_episodes': config['evaluation_episodes'],
    'learner_steps': config['learner_steps'],
  }


def _of_prior(rows: pd.DataFrame) -> list[pd.DataFrame]:
  """The evaluations of the prior beside the policy, if the agent has one."""
  if f'{PRIOR}_return_mean' not in rows:
    return []
  names = {f'{PRIOR}_{name}': name for name in EVALUATION_COLUMNS[2:]}
  return [rows[['step', *names]].rename(columns=names).assign(kind=PRIOR)]


def _highest_value(kind: str, metrics: pd.DataFrame) -> dict[str, float]:
  """The most that its critic ever said of its actions, as logged.

  DDPG logs it as its policy's loss; of an agent without a critic there is none.
  """
  if kind == 'ddpg':
    values = -metrics['policy_loss']
  elif 'value_mean' in metrics:
    values = metrics['value_mean']
  else:
    return {}
  finite = values[np.isfinite(values)]
  return {'highest_value': float(finite.max())} if len(finite) else {}
