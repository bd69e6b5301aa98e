"""What online and offline trainings tell, which have no cycles."""

from pathlib import Path
from typing import Any, Optional

import pandas as pd

from launchers.reports import readers
from launchers.reports.data import EVALUATION_COLUMNS, CycleRecord, Training

_FAILED = 'every evaluation has failed'


def load(
  directory: Path, config: dict[str, Any]
) -> Optional[tuple[Training, CycleRecord]]:
  """Where a training is, and what it has logged; None of a run with cycles.

  Raises:
    NotARunError: one of its files cannot be read.
  """
  if 'updates_per_episode' in config:
    return _online(directory, config)
  if 'data' in config:
    return _offline(directory, config)
  return None


def _online(
  directory: Path, config: dict[str, Any]
) -> tuple[Training, CycleRecord]:
  returns = readers.read_csv(directory / 'returns.csv', ('episodes',))
  done = len(list((directory / 'episodes').glob('*.npz')))
  total = int(config.get('episodes', 0))
  # The last evaluation is of the last episode.
  evaluated = 0 if returns.empty else int(returns['episodes'].max())
  training = Training(
    done,
    total,
    'episodes',
    total > 0 and evaluated >= total,
    'none is due yet' if returns.empty else _FAILED,
  )
  rows = returns.rename(columns={'learner_steps': 'step'})
  known = [name for name in ('step', 'critic_loss') if name in rows]
  return training, _as_cycle(rows[known], rows)


def _offline(
  directory: Path, config: dict[str, Any]
) -> tuple[Training, CycleRecord]:
  metrics = readers.read_csv(directory / 'metrics.csv', ('step',))
  rows = readers.read_csv(directory / 'evaluation.csv', ('step',))
  if not config.get('task'):
    reason = 'no --task was named'
  else:
    reason = 'none is due yet' if rows.empty else _FAILED
  training = Training(
    0 if metrics.empty else int(metrics['step'].max()),
    int(config.get('learner_steps', 0)),
    'updates',
    (directory / 'policy.npz').exists(),
    reason,
  )
  return training, _as_cycle(metrics, rows)


def _as_cycle(metrics: pd.DataFrame, evaluations: pd.DataFrame) -> CycleRecord:
  """Under the names that the tables of a cycle have."""
  rows = evaluations.reindex(columns=list(EVALUATION_COLUMNS))
  rows['kind'] = 'interval'
  return CycleRecord(1, None, metrics.assign(phase='learn'), rows)
