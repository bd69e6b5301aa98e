"""Intervals and verdicts, on scores that were written down."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
import numpy as np
import pandas as pd
import pytest
from rliable import metrics  # type: ignore[import-untyped]  # It has no types.

from launchers.studies import statistics, tables, verdicts
from launchers.studies.config import AXES
from launchers.studies.measures import MEASURES
from tests.launchers.studies import samples as studies


def scores_of(study, value):
  """All measures of a cell are `value(cell)`; None: it is not finished."""
  rows = []
  for cell in study.cells:
    number = value(cell)
    if number is not None:
      axes = [getattr(cell, axis) for axis in AXES]
      rows.append([*axes, *[float(number)] * len(MEASURES)])
  return pd.DataFrame(rows, columns=[*AXES, *MEASURES])


def study_of(tmp_path, *claims, **grid):
  path = studies.make(tmp_path, *claims, grid={**studies.GRID, **grid})
  return studies.load(path)


def matrices(runs):
  values = st.floats(-10, 10, allow_nan=False).map(lambda x: round(x, 1))
  return arrays.arrays(float, (runs, 2, 3), elements=values)


@given(matrices(5))
def test_interquartile_means_are_those_of_rliable(scores):
  expected = [metrics.aggregate_iqm(scores[..., k]) for k in range(3)]
  assert statistics.interquartile_means(scores) == pytest.approx(expected)


@given(matrices(4), matrices(3))
def test_improvement_probabilities_are_those_of_rliable(x, y):
  expected = [
    metrics.probability_of_improvement(x[..., k], y[..., k]) for k in range(3)
  ]
  found = statistics.improvement_probabilities(x, y)
  assert found == pytest.approx(expected)
  back = statistics.improvement_probabilities(y, x)
  assert found + back == pytest.approx(1)


@given(matrices(4))
def test_the_interval_of_a_mean(scores):
  strata = [(scores[:, task], np.ones(4)) for task in range(2)]
  mean, low, high = statistics.stratified_mean(strata)
  assert mean == pytest.approx(scores.mean(axis=(0, 1)))
  assert (low <= mean + 1e-9).all()
  assert (mean <= high + 1e-9).all()
  flipped = [(-sums, counts) for sums, counts in strata]
  _, flipped_low, flipped_high = statistics.stratified_mean(flipped)
  assert -flipped_high == pytest.approx(low)
  assert -flipped_low == pytest.approx(high)


def test_tasks_are_strata():
  """Differences between tasks are no uncertainty."""
  strata = [(np.full((3, 1), level), np.ones(3)) for level in (0.0, 10.0)]
  for end in statistics.stratified_mean(strata):
    assert end == pytest.approx([5.0])


def test_pairs_of_a_seed_stay_together():
  """Two values a seed, of which one seed has but one."""
  strata = [(np.array([[2.0], [2.0], [7.0]]), np.array([2.0, 2.0, 1.0]))]
  mean, low, high = statistics.stratified_mean(strata)
  assert (mean, low, high) == pytest.approx((11 / 5, 1.0, 7.0))


def test_one_seed_has_no_interval():
  mean, low, high = statistics.stratified_mean(
    [(np.array([[1.0]]), np.ones(1)), (np.ones((3, 1)), np.ones(3))]
  )
  assert mean == [1.0]
  assert np.isnan([low, high]).all()


def test_the_table_comes_out_twice_and_disturbs_nobody(tmp_path):
  study = study_of(tmp_path)
  generator = np.random.default_rng(3)
  scores = scores_of(study, lambda _: generator.normal())
  np.random.seed(1)
  expected = np.random.random()
  np.random.seed(1)
  first = statistics.table(study, scores)
  assert np.random.random() == expected
  assert first == statistics.table(study, scores)
  none, fixed = first
  assert none.improvements == {}
  for value, low, high in (
    *fixed.scores.values(),
    *fixed.improvements.values(),
  ):
    assert low <= value <= high
    assert low < high


def test_a_row_uses_the_seeds_that_every_task_has(tmp_path):
  study = study_of(tmp_path)
  lost = ('cheetah-run', 1, 'bc_fixed')
  scores = scores_of(
    study,
    lambda c: None if (c.task, c.seed, c.method) == lost else c.seed,
  )
  none, fixed = statistics.table(study, scores)
  assert (none.runs, none.planned, none.seeds) == (6, 6, (0, 1, 2))
  assert (fixed.runs, fixed.planned, fixed.seeds) == (5, 6, (0, 2))
  assert none.scores['late'].value == 1.0
  assert fixed.scores['late'].value == 1.0
  assert fixed.improvements['late'].value == pytest.approx(0.5)


def test_a_measure_that_one_run_lacks_is_left_out(tmp_path):
  study = study_of(tmp_path)
  scores = scores_of(study, lambda cell: cell.seed)
  scores.loc[0, 'initial_drop'] = np.nan
  row = statistics.table(study, scores)[0]
  assert np.isnan(row.scores['initial_drop']).all()
  assert not np.isnan(row.scores['late']).any()


def test_nothing_finished_gives_a_table_without_numbers(tmp_path):
  study = study_of(tmp_path)
  scores = scores_of(study, lambda _: None)
  for row in statistics.table(study, scores):
    assert row.runs == 0
    assert all(np.isnan(score).all() for score in row.scores.values())
  (verdict,) = verdicts.judge(study, scores)
  assert verdict.status == 'incomplete'


# Of `bc_fixed` at seeds 0, 1 and 2; `none` has 0.5.
BETTER, WORSE, MIXED = (0.6, 0.7, 0.8), (0.1, 0.2, 0.3), (0.1, 0.9, 0.5)


@pytest.mark.parametrize(
  ('values', 'bound', 'status', 'verdict', 'wanted'),
  [
    (BETTER, {'above_method': 'none'}, 'holds', 'shown', 6),
    (WORSE, {'above_method': 'none'}, 'fails', 'contradicted', 0),
    (MIXED, {'above_method': 'none'}, 'open', 'not shown', 2),
    (WORSE, {'below_method': 'none'}, 'holds', 'shown', 6),
    (BETTER, {'below_method': 'none'}, 'fails', 'contradicted', 0),
    (BETTER, {'above': 0.55}, 'holds', 'shown', 6),
    (BETTER, {'above': 0.65}, 'open', 'not shown', 4),
    (BETTER, {'below': 0.9}, 'holds', 'shown', 6),
    ((0.5, 0.5, 0.5), {'above_method': 'none'}, 'open', 'not shown', 0),
    ((None, 0.7, 0.8), {'above': 0.55}, 'incomplete', 'incomplete', 4),
    ((None, 0.1, 0.1), {'above': 0.55}, 'incomplete', 'incomplete', 0),
  ],
)
def test_verdicts(tmp_path, values, bound, status, verdict, wanted):
  claim = studies.claim('late', 'bc_fixed', **bound)
  study = study_of(tmp_path, claim)
  scores = scores_of(
    study, lambda c: 0.5 if c.method == 'none' else values[c.seed]
  )
  (judged,) = verdicts.judge(study, scores)
  (test,) = judged.tests
  assert (test.status, judged.status) == (status, verdict)
  assert test.wanted == wanted
  assert test.planned == 6
  assert test.pairs == 2 * sum(value is not None for value in values)


def test_a_run_that_the_bound_lacks_is_missing_too(tmp_path):
  study = study_of(tmp_path)
  scores = scores_of(
    study, lambda c: None if (c.method, c.seed) == ('none', 2) else 1.0
  )
  (judged,) = verdicts.judge(study, scores)
  assert (judged.status, judged.tests[0].pairs) == ('incomplete', 4)


def test_one_seed_leaves_a_test_open(tmp_path):
  study = study_of(tmp_path, seed=[0])
  scores = scores_of(study, lambda c: 0.1 if c.method == 'none' else 0.9)
  (judged,) = verdicts.judge(study, scores)
  assert (judged.status, judged.tests[0].status) == ('not shown', 'open')


@pytest.mark.parametrize(('times', 'status'), [(1.4, 'holds'), (1.6, 'fails')])
def test_so_many_times_another_method(tmp_path, times, status):
  claim = studies.claim('late', 'bc_fixed', above_method='none', times=times)
  study = study_of(tmp_path, claim)
  scores = scores_of(study, lambda c: 0.4 if c.method == 'none' else 0.6)
  (judged,) = verdicts.judge(study, scores)
  (test,) = judged.tests
  assert test.status == status
  assert test.difference.value == pytest.approx(0.6 - times * 0.4)
  words = tables.describe_test(test.test)
  assert words == f'late of bc_fixed above {times} times that of none'


def test_where_chooses_the_runs(tmp_path):
  claim = studies.claim(
    'late', 'bc_fixed', above_method='none', where={'task': 'cheetah-run'}
  )
  study = study_of(tmp_path, claim)
  better = ('cheetah-run', 'bc_fixed')
  scores = scores_of(study, lambda c: float((c.task, c.method) == better))
  (judged,) = verdicts.judge(study, scores)
  assert judged.tests[0].status == 'holds'
  assert judged.tests[0].planned == 3


@pytest.mark.parametrize(
  ('bounds', 'verdict'),
  [
    ((0.55, 0.2), 'shown'),
    ((0.55, 0.65), 'not shown'),
    ((0.55, 0.9), 'contradicted'),
    ((0.65, 0.9), 'contradicted'),
  ],
)
def test_a_claim_needs_all_its_tests(tmp_path, bounds, verdict):
  claim = studies.claim('late', 'bc_fixed', above=bounds[0])
  claim += f"""
    [[claim.test]]
    measure = 'final'
    method = 'bc_fixed'
    above = {bounds[1]}"""
  study = study_of(tmp_path, claim)
  scores = scores_of(study, lambda c: BETTER[c.seed])
  (judged,) = verdicts.judge(study, scores)
  assert judged.status == verdict
  assert len(judged.tests) == 2
