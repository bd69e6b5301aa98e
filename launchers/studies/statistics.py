"""Tables with intervals, from the measures of a study's runs."""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import dataclasses
from typing import NamedTuple

import numpy as np
import pandas as pd
from rliable import library, metrics  # type: ignore[import-untyped]  # none

from launchers.studies.config import Study

SCORES = ('initial_drop', 'mean', 'late', 'final')
IMPROVEMENTS = ('mean', 'late')
RESAMPLES = 5_000
_TABLE_RESAMPLES = 2_000
_SEED = 0


class Interval(NamedTuple):
  """An estimate and its 95 % interval; NaN where there is none."""

  value: float
  low: float
  high: float


@dataclasses.dataclass(frozen=True)
class Row:
  """A method with one teacher tier and number of cycles.

  Attributes:
    tier: of its teachers.
    cycles: N_c.
    method: the method.
    runs: how many runs are finished.
    planned: of how many.
    seeds: those that are finished for every task; only they count.
    scores: of each of SCORES, the interquartile mean over tasks and seeds.
    improvements: of each of IMPROVEMENTS, the probability that a run of the
      method is better than one of the baseline on the same task.
  """

  tier: str
  cycles: int
  method: str
  runs: int
  planned: int
  seeds: tuple[int, ...]
  scores: dict[str, Interval]
  improvements: dict[str, Interval]


def table(study: Study, scores: pd.DataFrame) -> list[Row]:
  """The rows of the study, in its order; `scores` as of `Outcomes`."""
  groups = {(c.tier, c.cycles, c.method): None for c in study.columns}
  return [_row(study, scores, *group) for group in groups]


def complete_seeds(
  study: Study, scores: pd.DataFrame, tier: str, cycles: int, method: str
) -> tuple[list[str], list[int]]:
  """The tasks of a row, and the seeds whose runs of all of them are there."""
  group = (tier, cycles, method)
  cells = [c for c in study.columns if (c.tier, c.cycles, c.method) == group]
  tasks = list(dict.fromkeys(cell.task for cell in cells))
  rows = _select(scores, *group)
  found = {(row.task, row.seed) for row in rows.itertuples()}
  seeds = sorted({cell.seed for cell in cells})
  return tasks, [s for s in seeds if all((task, s) in found for task in tasks)]


def stratified_mean(
  strata: Sequence[tuple[np.ndarray, np.ndarray]], resamples: int = RESAMPLES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Means with percentile bootstrap intervals, resampled within each stratum.

  Args:
    strata: of each stratum the sums of its units [U, P], and of how many
      values each unit is the sum [U].
    resamples: how many means the intervals are of.

  Returns:
    Mean, lower and upper end, [P] each; the ends are NaN where a stratum has
    one unit alone, which says nothing about its spread.
  """
  generator = np.random.default_rng(_SEED)
  size = sum(counts.sum() for _, counts in strata)
  mean = sum(sums.sum(axis=0) for sums, _ in strata) / size
  if min(len(counts) for _, counts in strata) < 2:
    return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
  totals = np.zeros((resamples, len(mean)))
  sizes = np.zeros((resamples, 1))
  for sums, counts in strata:
    units = len(counts)
    drawn = generator.multinomial(
      units, np.full(units, 1 / units), size=resamples
    )
    totals += drawn @ sums
    sizes += drawn @ counts[:, np.newaxis]
  low, high = np.percentile(totals / sizes, [2.5, 97.5], axis=0)
  return mean, low, high


def _row(
  study: Study, scores: pd.DataFrame, tier: str, cycles: int, method: str
) -> Row:
  group, other = (tier, cycles, method), (tier, cycles, study.baseline)
  tasks, seeds = complete_seeds(study, scores, *group)
  other_tasks, other_seeds = complete_seeds(study, scores, *other)
  rows = _select(scores, *group)
  improvements = {}
  if method != study.baseline and set(tasks) <= set(other_tasks):
    improvements = _estimate(
      IMPROVEMENTS,
      metrics.probability_of_improvement,
      improvement_probabilities,
      _matrices(rows, IMPROVEMENTS, tasks, seeds),
      _matrices(_select(scores, *other), IMPROVEMENTS, tasks, other_seeds),
    )
  return Row(
    *group,
    runs=len(rows),
    planned=sum((c.tier, c.cycles, c.method) == group for c in study.columns),
    seeds=tuple(seeds),
    scores=_estimate(
      SCORES,
      metrics.aggregate_iqm,
      interquartile_means,
      _matrices(rows, SCORES, tasks, seeds),
    ),
    improvements=improvements,
  )


def _select(
  scores: pd.DataFrame, tier: str, cycles: int, method: str
) -> pd.DataFrame:
  chosen = (scores['tier'] == tier) & (scores['cycles'] == cycles)
  return scores[chosen & (scores['method'] == method)]


def _matrices(
  rows: pd.DataFrame,
  measures: Sequence[str],
  tasks: list[str],
  seeds: list[int],
) -> np.ndarray:
  """[seeds, tasks, measures]: what rliable takes, a layer a measure."""
  layers = [
    rows.pivot(index='seed', columns='task', values=measure)
    .reindex(index=seeds, columns=tasks)
    .to_numpy(float)
    for measure in measures
  ]
  return np.stack(layers, axis=-1)


def _estimate(
  measures: Sequence[str],
  metric: Callable[..., float],
  layered_metric: Callable[..., np.ndarray],
  *scores: np.ndarray,
) -> dict[str, Interval]:
  """A metric of each measure; its interval by the metric of all layers."""
  units = min(len(array) for array in scores)
  if not units:
    return {measure: Interval(np.nan, np.nan, np.nan) for measure in measures}
  ends = np.full((2, len(measures)), np.nan)
  if units > 1:
    with _seeded():
      _, found = library.get_interval_estimates(
        {'': scores[0] if len(scores) == 1 else list(scores)},
        layered_metric,
        reps=_TABLE_RESAMPLES,
      )
    ends = found['']
  intervals = {}
  for layer, measure in enumerate(measures):
    of_measure = [array[..., layer] for array in scores]
    is_defined = not any(np.isnan(array).any() for array in of_measure)
    numbers = (metric(*of_measure), *ends[:, layer])
    intervals[measure] = (
      Interval(*map(float, numbers)) if is_defined else Interval(*[np.nan] * 3)
    )
  return intervals


def interquartile_means(scores: np.ndarray) -> np.ndarray:
  """The aggregate_iqm of rliable, of each layer of [runs, tasks, layers]."""
  ordered = np.sort(scores.reshape(-1, scores.shape[-1]), axis=0)
  cut = len(ordered) // 4
  return ordered[cut : len(ordered) - cut].mean(axis=0)


def improvement_probabilities(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Its probability_of_improvement of each layer of [runs, tasks, layers].

  That one makes a Mann-Whitney test to use its statistic: 2,000 resamples of
  six tasks take it 14 s.
  """
  left, right = x[:, np.newaxis], y[np.newaxis]
  wins = (left > right) + 0.5 * (left == right)
  return wins.mean(axis=(0, 1, 2))


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
  """Seeds NumPy's global generator: rliable draws from it in any case."""
  state = np.random.get_state()
  np.random.seed(_SEED)
  try:
    yield
  finally:
    np.random.set_state(state)
