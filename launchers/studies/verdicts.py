"""Verdicts on a study's claims, by one rule."""

from collections.abc import Sequence
import dataclasses

import numpy as np
import pandas as pd

from launchers.studies.config import Claim, Study, Test
from launchers.studies.measures import planned_pairs
from launchers.studies.statistics import RESAMPLES, Interval, stratified_mean

RULE = (
  'A test compares a measure of a method with a number or with the same '
  'measure of another method at the same task, teacher, seed and number of '
  'cycles: one difference a pair. It holds when the whole 95 % interval of '
  'the mean difference is on the wanted side of 0, fails when the whole '
  'interval is on the other side, and is open in between. The interval is '
  f'the percentile bootstrap, {RESAMPLES:,} resamples with a fixed seed, of '
  'seeds within each task; all pairs of a seed stay together. A claim is '
  'shown when all its tests hold, contradicted when one fails, incomplete '
  'when none fails but one lacks a run or a run lacks the measure, else not '
  'shown. With one seed a task there is no interval, and a test is open. '
  'With few seeds the percentile bootstrap is too narrow: for normal '
  'differences it contains the true mean in 80 % of studies of 2 tasks × 3 '
  'seeds, 87 % of 2 × 5 and 90 % of 6 × 5, and not in 95 %. Read such an '
  'interval as an indication.'
)


@dataclasses.dataclass(frozen=True)
class JudgedTest:
  """A test, and what the runs say.

  Attributes:
    test: the test.
    status: 'holds', 'fails', 'open' or 'incomplete'.
    difference: the mean difference to the bound.
    pairs: how many differences there are.
    planned: of how many.
    wanted: how many of them are on the wanted side.
  """

  test: Test
  status: str
  difference: Interval
  pairs: int
  planned: int
  wanted: int


@dataclasses.dataclass(frozen=True)
class Verdict:
  """'shown', 'contradicted', 'incomplete' or 'not shown', of a claim."""

  claim: Claim
  status: str
  tests: tuple[JudgedTest, ...]


def judge(study: Study, scores: pd.DataFrame) -> list[Verdict]:
  """Decides the claims of a study by RULE."""
  return [_verdict(study, claim, scores) for claim in study.claims]


def _verdict(study: Study, claim: Claim, scores: pd.DataFrame) -> Verdict:
  tests = tuple(_judge_test(study, test, scores) for test in claim.tests)
  found = {test.status for test in tests}
  if 'fails' in found:
    status = 'contradicted'
  elif 'incomplete' in found:
    status = 'incomplete'
  else:
    status = 'not shown' if 'open' in found else 'shown'
  return Verdict(claim, status, tests)


def _judge_test(study: Study, test: Test, scores: pd.DataFrame) -> JudgedTest:
  planned = planned_pairs(study, test)
  differences = _differences(test, scores, planned)
  sign = 1.0 if test.is_above else -1.0
  wanted = int((sign * differences > 0).sum())
  interval = _mean_difference(differences)
  status = 'open'
  if len(differences) < len(planned):
    status = 'incomplete'
  elif min(sign * interval.low, sign * interval.high) > 0:
    status = 'holds'
  elif max(sign * interval.low, sign * interval.high) < 0:
    status = 'fails'
  return JudgedTest(
    test, status, interval, len(differences), len(planned), wanted
  )


def _differences(
  test: Test,
  scores: pd.DataFrame,
  planned: Sequence[tuple[str, str, int, int]],
) -> pd.Series:
  """The method's measure less the bound, by task, tier, seed and cycles."""
  index = pd.MultiIndex.from_tuples(
    planned, names=['task', 'tier', 'seed', 'cycles']
  )

  def of(method: str) -> pd.Series:
    rows = scores[scores['method'] == method]
    return rows.set_index(list(index.names))[test.measure].reindex(index)

  if isinstance(test.bound, str):
    return (
      (of(test.method) - test.times * of(test.bound)).astype(float).dropna()
    )
  return (of(test.method) - test.bound).astype(float).dropna()


def _mean_difference(differences: pd.Series) -> Interval:
  if not len(differences):
    return Interval(np.nan, np.nan, np.nan)
  strata = []
  for _, of_task in differences.groupby(level='task'):
    of_seed = of_task.groupby(level='seed')
    sums = of_seed.sum().to_numpy(float)[:, np.newaxis]
    strata.append((sums, of_seed.size().to_numpy(float)))
  mean, low, high = stratified_mean(strata)
  return Interval(float(mean[0]), float(low[0]), float(high[0]))
