"""What a run directory tells, whatever state the run is in."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

EVALUATION_COLUMNS = ('step', 'kind', 'return_mean', 'return_std')


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A mean return, and the standard deviation over its episodes."""

  mean: float
  std: float
  episodes: int = 0

  def __str__(self) -> str:
    return f'{self.mean:.0f} ± {self.std:.0f}'

  @classmethod
  def of(
    cls, record: Optional[dict[str, Any]], prefix: str, episodes: str
  ) -> Optional['Estimate']:
    """That of a record with prefix + 'mean' and 'std'; None without a mean."""
    mean = (record or {}).get(f'{prefix}mean')
    if record is None or not isinstance(mean, (int, float)):
      return None
    std = record.get(f'{prefix}std')
    return cls(float(mean), float(std or 0.0), _whole(record.get(episodes), 0))


class Training(NamedTuple):
  """Where a training without cycles is, an online or an offline one.

  Attributes:
    done: how much of it is.
    total: of how much.
    unit: what is counted.
    is_finished: whether its last policy is there.
    unevaluated: why it has no evaluation, where it has none.
  """

  done: int
  total: int
  unit: str
  is_finished: bool
  unevaluated: str

  def __str__(self) -> str:
    return f'{self.done} of {self.total} {self.unit} done'


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
  def held_back(self) -> Optional[str]:
    """Why π_k was not deployed; None where it was."""
    return (self.summary or {}).get('held_back')

  @property
  def collected(self) -> Optional[Estimate]:
    """The returns of the cycle's data."""
    return Estimate.of(self.summary, 'collected_return_', 'episodes')

  @property
  def final(self) -> Optional[Estimate]:
    """The returns of π_k, the policy that was learned, deployed or not."""
    rows = self.evaluation
    rows = rows[(rows['kind'] == 'final') & rows['return_mean'].notna()]
    if not len(rows):
      return Estimate.of(
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
  """A run, as far as it is; a training without cycles is one of cycle 1."""

  directory: Path
  config: dict[str, Any]
  teacher: Optional[Estimate]
  teacher_name: str
  cycles: list[CycleRecord]
  training: Optional[Training] = None

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
    """Whether the last cycle, or the training, is done."""
    if self.training is not None:
      return self.training.is_finished
    return len(self.finished) > self.num_cycles

  @property
  def progress(self) -> str:
    """How far it is, for a person."""
    done = len(self.finished) - 1
    if self.is_finished:
      return 'finished'
    if self.training is not None:
      return f'in progress: {self.training}'
    if done < 0:
      return 'in progress: cloning the teacher'
    return f'in progress: {done} of {self.num_cycles} cycles done'

  @property
  def finals(self) -> list[tuple[int, Estimate]]:
    """(k, return of π_k), of the policies that were evaluated and deployed."""
    cycles = [cycle for cycle in self.cycles if cycle.held_back is None]
    pairs = [(cycle.number, cycle.final) for cycle in cycles]
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


def _whole(value: Any, default: int) -> int:
  return int(value) if isinstance(value, (int, float)) else default
