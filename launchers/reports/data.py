"""What a run directory tells: read whole, whatever state the run is in."""

from collections.abc import Sequence
import dataclasses
import io
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pandas as pd

from datasets import files
from datasets.schema import shortened
from launchers.runs import schemas, tables
from launchers.runs.frozen import options_of

EVALUATION_COLUMNS = ('step', 'kind', 'return_mean', 'return_std')
_WORDS = ('kind', 'phase')  # Columns that hold no numbers.


class NotARunError(ValueError):
  """A directory is no run directory; the message says what was expected."""


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A mean return, and the standard deviation over its episodes."""

  mean: float
  std: float
  episodes: int = 0

  def __str__(self) -> str:
    return f'{self.mean:.0f} ± {self.std:.0f}'


@dataclasses.dataclass(frozen=True)
class CycleRecord:
  """One cycle: 0 is cloning, k the learning from what π_{k-1} collected.

  Attributes:
    number: k.
    summary: cycle.json, or None while the cycle is unfinished.
    metrics: metrics.csv, one row a logged step.
    evaluation: evaluation.csv, one row an evaluation.
  """

  number: int
  summary: Optional[dict[str, Any]]
  metrics: pd.DataFrame
  evaluation: pd.DataFrame

  def phase(self, name: str) -> pd.DataFrame:
    """The metrics of one phase, without the columns that it leaves empty."""
    if 'phase' not in self.metrics or 'step' not in self.metrics:
      return pd.DataFrame()
    rows = self.metrics[self.metrics['phase'] == name]
    rows = rows.drop(columns='phase').apply(pd.to_numeric, errors='coerce')
    return rows.dropna(axis='columns', how='all')

  def last_metric(self, name: str) -> Optional[float]:
    """The last value that was logged of a metric; of no value, None."""
    if name not in self.metrics:
      return None
    values = pd.to_numeric(self.metrics[name], errors='coerce').dropna()
    return float(values.iloc[-1]) if len(values) else None

  @property
  def collected(self) -> Optional[Estimate]:
    """The returns of the cycle's data."""
    return _estimate(self.summary, 'collected_return_', 'episodes')

  @property
  def final(self) -> Optional[Estimate]:
    """The returns of π_k, the policy that the cycle ended with."""
    rows = self.evaluation
    rows = rows[(rows['kind'] == 'final') & rows['return_mean'].notna()]
    if not len(rows):
      return _estimate(
        self.summary, 'evaluation_return_', 'evaluation_episodes'
      )
    row = rows.iloc[-1]
    episodes = row.get('episodes', 0)
    return Estimate(
      float(row['return_mean']),
      float(np.nan_to_num(row['return_std'])),
      int(np.nan_to_num(episodes)),
    )


@dataclasses.dataclass(frozen=True)
class RunRecord:
  """A run, as far as it is."""

  directory: Path
  config: dict[str, Any]
  teacher: Optional[Estimate]
  teacher_name: str
  cycles: list[CycleRecord]

  @property
  def name(self) -> str:
    """The run's name."""
    return str(self.config.get('name') or self.directory.resolve().name)

  @property
  def num_cycles(self) -> int:
    """N_c, or as many as are there."""
    known = max((cycle.number for cycle in self.cycles), default=0)
    return _whole(self.config.get('cycles'), known)

  @property
  def learner_steps(self) -> int:
    """T_lrn, or as many as are logged."""
    steps = [int(c.evaluation['step'].max()) for c in self._evaluated()]
    return _whole(self.config.get('learner_steps'), max(steps, default=0))

  @property
  def finished(self) -> list[CycleRecord]:
    """The cycles that are done."""
    return [cycle for cycle in self.cycles if cycle.summary is not None]

  @property
  def is_finished(self) -> bool:
    """Whether the last cycle is done."""
    return len(self.finished) > self.num_cycles

  @property
  def finals(self) -> list[tuple[int, Estimate]]:
    """(k, return of π_k), of the policies that were evaluated."""
    pairs = [(cycle.number, cycle.final) for cycle in self.cycles]
    return [(number, final) for number, final in pairs if final is not None]

  def boundary(self, cycle: int) -> float:
    """The learner step at which `cycle` ends."""
    return self.learner_steps * cycle / max(self.num_cycles, 1)

  def intervals(self) -> pd.DataFrame:
    """The evaluations during learning, of all cycles."""
    frames = [cycle.evaluation for cycle in self._evaluated()]
    if not frames:
      return pd.DataFrame(columns=list(EVALUATION_COLUMNS))
    rows = pd.concat(frames, ignore_index=True)
    rows = rows[rows['kind'] == 'interval'].dropna(
      subset=['step', 'return_mean']
    )
    return rows.sort_values('step', kind='stable')

  def _evaluated(self) -> list[CycleRecord]:
    return [c for c in self.cycles if c.evaluation['step'].notna().any()]


def policy_name(cycle: int) -> str:
  """π₀, π₁, …: the policy that a cycle ends with."""
  return 'π' + str(cycle).translate(str.maketrans('0123456789', '₀₁₂₃₄₅₆₇₈₉'))


def load_run(directory: Path) -> RunRecord:
  """Reads a run directory; a half-written last line is left out.

  Raises:
    NotARunError: it is none, or its config.json cannot be read.
  """
  config = _read_json(directory / 'config.json')
  if config is None:
    raise NotARunError(_explain(directory))
  teacher = _read_json(directory / 'teacher.json')
  folders = sorted(
    path
    for path in (directory / 'cycles').glob('*')
    if path.name.isdigit() and path.is_dir()
  )
  return RunRecord(
    directory,
    options_of(config),
    _estimate(teacher, 'return_', 'episodes'),
    f'teacher {teacher["name"]}' if teacher and 'name' in teacher else '',
    [_load_cycle(path) for path in folders],
  )


def _load_cycle(directory: Path) -> CycleRecord:
  evaluation = _read_csv(directory / 'evaluation.csv', EVALUATION_COLUMNS)
  for column in EVALUATION_COLUMNS:
    if column not in evaluation:
      evaluation[column] = pd.Series(dtype=object)
    if column != 'kind':
      evaluation[column] = pd.to_numeric(evaluation[column])
  return CycleRecord(
    int(directory.name),
    _read_json(directory / 'cycle.json'),
    _read_csv(directory / 'metrics.csv', ('step', 'phase')),
    evaluation,
  )


def _read_json(path: Path) -> Optional[dict[str, Any]]:
  """A record, or None where there is none yet."""
  if not path.is_file():
    return None
  try:
    return schemas.read(path)
  except files.DamagedFileError as error:
    raise NotARunError(f'{error}.') from error


def _read_csv(path: Path, needed: Sequence[str]) -> pd.DataFrame:
  """A table of numbers, and of words in the columns of `_WORDS`."""
  if not path.is_file():
    return pd.DataFrame()
  try:
    found = tables.read(path, needed)
  except files.DamagedFileError as error:
    raise NotARunError(f'{error}.') from error
  if not found.rows:
    return pd.DataFrame(columns=found.columns)
  # Exactly what was written: pandas' own parser is wrong in the last bit.
  frame = pd.read_csv(io.StringIO(found.whole), float_precision='round_trip')
  for name in frame:
    if name not in _WORDS and not pd.api.types.is_numeric_dtype(frame[name]):
      raise NotARunError(
        f'{path} is damaged: not all that its column {shortened(name)} holds '
        'are numbers; restore it, or remove it.'
      )
  return frame


def _estimate(
  record: Optional[dict[str, Any]], prefix: str, episodes: str
) -> Optional[Estimate]:
  mean = (record or {}).get(f'{prefix}mean')
  if record is None or not isinstance(mean, (int, float)):
    return None
  std = record.get(f'{prefix}std')
  return Estimate(
    float(mean), float(std or 0.0), _whole(record.get(episodes), 0)
  )


def _whole(value: Any, default: int) -> int:
  return int(value) if isinstance(value, (int, float)) else default


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
  found = [path for place in places for path in place.glob('*/config.json')]
  known = sorted({str(path.parent) for path in found})
  if known:
    lines.append('Runs here: ' + ', '.join(known[:10]))
  return '\n'.join(lines)
