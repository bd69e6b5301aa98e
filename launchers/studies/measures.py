"""What a study measures of each of its runs: one number, from its curve."""

from collections.abc import Callable
import dataclasses

import numpy as np
import pandas as pd

from datasets import closest
from launchers.studies.cell_check import MAX_EVALUATIONS
from launchers.studies.config import Study, StudyError, Test

_INTERVAL = 'evaluation.interval'


@dataclasses.dataclass(frozen=True)
class Curve:
  """The evaluations of a finished run, as returns of episodes.

  Attributes:
    steps: the learner steps after which it was evaluated while learning.
    returns: of these evaluations, of all cycles.
    start: the return of π_0, that cloning ended with.
    final: the return of the policy that the last cycle ended with.
    teacher: the return of its teacher.
    expert: the return of the task's expert, by which scores are divided.
    learner_steps: of the whole run.
    cycles: N_c.
    logged: the largest return of the log, of a training from one.
    value: the most that its critic ever said of its actions, likewise.
  """

  steps: np.ndarray
  returns: np.ndarray
  start: float
  final: float
  teacher: float
  expert: float
  learner_steps: int
  cycles: int
  logged: float = np.nan
  value: float = np.nan

  @property
  def first_cycle(self) -> np.ndarray:
    """The evaluations of cycle 1."""
    return self.returns[self.steps <= self.learner_steps / self.cycles]

  @property
  def late(self) -> float:
    """The mean of the last quarter of the learner steps."""
    return _mean(self.returns[self.steps > 0.75 * self.learner_steps])


def _start(curve: Curve) -> float:
  """The return of π_0, the cloned policy, over the expert's."""
  return curve.start / curve.expert


def _initial_drop(curve: Curve) -> float:
  """The lowest evaluation of cycle 1 over the return of π_0 (1: none lost)."""
  return _ratio(min(curve.first_cycle, default=np.nan), curve.start)


def _final(curve: Curve) -> float:
  """The return of the last policy, over the expert's."""
  return curve.final / curve.expert


def _mean_of_all(curve: Curve) -> float:
  """The mean of all evaluations while learning, over the expert's return."""
  return _mean(curve.returns) / curve.expert


def _first_cycle(curve: Curve) -> float:
  """The mean of the evaluations of cycle 1, over the expert's return."""
  return _mean(curve.first_cycle) / curve.expert


def _late(curve: Curve) -> float:
  """The mean of the last quarter of learner steps, over the expert's return."""
  return curve.late / curve.expert


def _lowest(curve: Curve) -> float:
  """The lowest evaluation while learning, over the expert's return."""
  return float(min(curve.returns, default=np.nan)) / curve.expert


def _best(curve: Curve) -> float:
  """The highest mean of 3 evaluations in a row, over the expert's return."""
  if len(curve.returns) < 3:
    return np.nan
  means = np.convolve(curve.returns, np.ones(3) / 3, mode='valid')
  return float(means.max()) / curve.expert


def _trend(curve: Curve) -> float:
  """Spearman's rank correlation of return and time (1: it only rises)."""
  ranks = pd.Series(curve.returns).rank().to_numpy()
  if not len(ranks):
    return np.nan
  if np.ptp(ranks) == 0:
    return 0.0
  return float(np.corrcoef(ranks, pd.Series(curve.steps).rank())[0, 1])


def _gain(curve: Curve) -> float:
  """`late` less `start`: what learning added to the cloned policy."""
  return _late(curve) - _start(curve)


def _final_vs_teacher(curve: Curve) -> float:
  """The mean of the last quarter of learner steps over the teacher's return.

  Of the last quarter, and not the last policy's alone: one policy's return
  depends on where training happened to stop.
  """
  return _ratio(curve.late, curve.teacher)


def _final_vs_start(curve: Curve) -> float:
  """The mean of the last quarter of learner steps over the return of π_0."""
  return _ratio(curve.late, curve.start)


def _promise(curve: Curve) -> float:
  """The most that the critic said of its actions, over the best return logged.

  The value is the mean of a batch, as it is logged; of returns that are
  discounted, so that more than 1 is surely too much.
  """
  return _ratio(curve.value, curve.logged)


MEASURES: dict[str, Callable[[Curve], float]] = {
  'start': _start,
  'initial_drop': _initial_drop,
  'final': _final,
  'mean': _mean_of_all,
  'first_cycle': _first_cycle,
  'late': _late,
  'lowest': _lowest,
  'best': _best,
  'trend': _trend,
  'gain': _gain,
  'final_vs_teacher': _final_vs_teacher,
  'final_vs_start': _final_vs_start,
  'promise': _promise,
}
"""By the name that a study file uses. NaN where a run does not define it: a
ratio to a return of nothing, or a mean of no evaluation."""


def _spread(scores: pd.DataFrame) -> pd.Series:
  """How far `final` is from the mean of the method's seeds on the task."""
  of_seeds = scores.groupby(['task', 'tier', 'cycles', 'method'])['final']
  return (scores['final'] - of_seeds.transform('mean')).abs()


MEASURES_OF_SEEDS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
  'spread': _spread
}
"""Those of a run that need the others of its method: from a row a run."""

NAMES = (*MEASURES, *MEASURES_OF_SEEDS)


def explain(measure: str) -> str:
  """What a measure is, in one sentence."""
  function = {**MEASURES, **MEASURES_OF_SEEDS}[measure]
  return (function.__doc__ or '').partition('\n')[0]


def check(study: Study) -> None:
  """Refuses what could not be measured or decided after the runs.

  Raises:
    StudyError: a measure that there is not, a test without a pair of runs, or
      evaluations too rare for the measures or too many for a cell's file.
  """
  for claim in study.claims:
    for test in claim.tests:
      if test.measure not in NAMES:
        raise StudyError(
          f'{study.name}: claim {claim.id} measures {test.measure!r}, which '
          f'is no measure.{closest.among(test.measure, NAMES)}'
        )
      if not planned_pairs(study, test):
        raise StudyError(
          f'{study.name}: claim {claim.id} compares {test.method!r} with '
          f'{test.bound!r} where {dict(test.where)}; no '
          f'{", ".join(study.axes[:-1])} of the grids has them. Add a grid.'
        )
  for cell in study.cells:
    span = cell.learner_steps / max(4, cell.cycles)
    interval = cell.evaluation_interval
    option = 'evaluation_interval' if study.is_of_logs else _INTERVAL
    if not 0 < interval <= span:
      raise StudyError(
        f'{study.name}: {cell.name} is evaluated every {interval} learner '
        f'steps; give run.{option} at least 1 and at most '
        f'{span:g}, so that each cycle and each quarter has an evaluation.'
      )
    count = cell.learner_steps // interval
    if count > MAX_EVALUATIONS:
      raise StudyError(
        f'{study.name}: {cell.name} is evaluated {count:,} times, and the file '
        f'of a finished run holds {MAX_EVALUATIONS:,}. Raise run.{option}.'
      )


def planned_pairs(study: Study, test: Test) -> list[tuple[str, str, int, int]]:
  """(task, tier, seed, cycles) at which a test compares, in order."""

  def of(method: str) -> dict[tuple[str, str, int, int], None]:
    return {
      (cell.task, cell.tier, cell.seed, cell.cycles): None
      for cell in study.columns
      if cell.method == method
      and all(getattr(cell, axis) == v for axis, v in test.where.items())
    }

  pairs = of(test.method)
  if isinstance(test.bound, str):
    others = of(test.bound)
    pairs = {key: None for key in pairs if key in others}
  return list(pairs)


def _mean(values: np.ndarray) -> float:
  return float(values.mean()) if len(values) else np.nan


def _ratio(value: float, to: float) -> float:
  return float(value) / to if to > 0 else np.nan
