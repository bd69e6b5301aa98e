"""What a study measures of a run, on curves that can be checked by hand."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pandas as pd
import pytest

from launchers.studies import measures
from launchers.studies.config import StudyError
from launchers.studies.measures import MEASURES, Curve
from tests.launchers.studies import samples as studies

CURVE = Curve(
  steps=np.arange(100.0, 801.0, 100.0),
  returns=np.array([200.0, 100.0, 300.0, 400.0, 500.0, 500.0, 700.0, 600.0]),
  start=400.0,
  final=660.0,
  teacher=650.0,
  expert=1000.0,
  learner_steps=800,
  cycles=2,
  logged=700.0,
  value=1400.0,
)


@pytest.mark.parametrize(
  ('measure', 'value'),
  [
    ('start', 0.4),
    ('initial_drop', 100 / 400),
    ('final', 0.66),
    ('mean', 3300 / 8 / 1000),
    ('first_cycle', 1000 / 4 / 1000),
    ('late', 0.65),
    ('lowest', 0.1),
    ('best', 0.6),
    # Ranks 2 1 3 4 5.5 5.5 8 7 against 1 … 8: covariance 39.5, variances 41.5
    # and 42.
    ('trend', 39.5 / np.sqrt(41.5 * 42)),
    ('gain', 0.25),
    ('final_vs_teacher', 1.0),
    ('final_vs_start', 650 / 400),
    ('promise', 2.0),
  ],
)
def test_of_a_small_curve(measure, value):
  assert MEASURES[measure](CURVE) == pytest.approx(value, abs=1e-12)


def test_the_cases_are_all_the_measures_and_each_is_explained():
  cases = test_of_a_small_curve.pytestmark[0].args[1]
  assert [name for name, _ in cases] == list(MEASURES)
  for name in measures.NAMES:
    assert measures.explain(name).endswith('.')


def test_the_spread_is_of_the_seeds_of_a_method():
  rows = pd.DataFrame(
    {
      'task': 'it', 'tier': 'expert', 'cycles': 1,
      'method': ['a', 'a', 'a', 'b'], 'final': [0.1, 0.2, 0.6, 9.0],
    }
  )  # fmt: skip
  spread = measures.MEASURES_OF_SEEDS['spread'](rows)
  assert spread.tolist() == pytest.approx([0.2, 0.1, 0.3, 0.0])


def test_a_constant_curve_has_no_trend():
  curve = dataclasses.replace(CURVE, returns=np.full(8, 3.0))
  assert MEASURES['trend'](curve) == 0.0


@given(
  st.lists(st.floats(0, 1000, allow_nan=False), min_size=4, max_size=30),
  st.floats(0.1, 10),
)
def test_scores_do_not_depend_on_the_scale_of_returns(returns, scale):
  curve = dataclasses.replace(
    CURVE,
    returns=np.round(returns),
    steps=np.linspace(0, 800, len(returns) + 1)[1:],
  )
  scaled = dataclasses.replace(
    curve,
    returns=curve.returns * scale,
    **{
      name: getattr(curve, name) * scale
      for name in ('start', 'final', 'teacher', 'expert')
    },
  )
  for name, measure in MEASURES.items():
    assert measure(scaled) == pytest.approx(measure(curve)), name
  assert -1 - 1e-9 <= MEASURES['trend'](curve) <= 1 + 1e-9
  lowest, mean = MEASURES['lowest'](curve), MEASURES['mean'](curve)
  assert lowest <= mean + 1e-9
  assert MEASURES['best'](curve) >= lowest - 1e-9


@given(st.sets(st.integers(0, 1000), min_size=2, max_size=20))
def test_the_trend_of_a_rise_is_one(values):
  rise = np.array(sorted(values), float)
  steps = np.linspace(1, 800, len(rise))
  curve = dataclasses.replace(CURVE, returns=rise, steps=steps)
  assert MEASURES['trend'](curve) == pytest.approx(1)
  falling = dataclasses.replace(curve, returns=rise[::-1])
  assert MEASURES['trend'](falling) == pytest.approx(-1)


def test_a_ratio_to_nothing_is_undefined():
  curve = dataclasses.replace(CURVE, start=0.0)
  assert np.isnan(MEASURES['initial_drop'](curve))
  assert np.isnan(MEASURES['final_vs_start'](curve))


GRID = studies.GRID


@pytest.mark.parametrize(
  ('options', 'message'),
  [
    (
      {'claims': ['hurry']},
      r"measures 'hurry', .* There are start, initi",
    ),
    ({'where': {'cycles': 8}}, r"compares 'bc_fixed' with 'none' where .*8"),
    ({'interval': 0}, r'every 0 learner steps; give run\.evaluation\.interval'),
    ({'interval': 201}, r'every 201 learner .*at most 200'),
    ({'interval': 1, 'learner_steps': 3_504}, r'evaluated 3,504 times'),
  ],
)
def test_what_could_not_be_measured_is_refused(tmp_path, options, message):
  measure = options.get('claims', ['late'])[0]
  claim = studies.claim(
    measure, 'bc_fixed', above_method='none', where=options.get('where', {})
  )
  interval = options.get('interval', studies.INTERVAL)
  learner_steps = options.get('learner_steps', studies.STEPS)
  path = studies.make(
    tmp_path, claim, interval=interval, learner_steps=learner_steps
  )
  with pytest.raises(StudyError, match=message):
    measures.check(studies.load(path))


def test_a_pair_is_planned_where_both_methods_are(tmp_path):
  lone = {**GRID, 'cycles': [4], 'method': ['bc_fixed']}
  more = '\n'.join(f'{axis} = {values!r}' for axis, values in lone.items())
  study = studies.load(studies.make(tmp_path, more=f'[[grid]]\n{more}'))
  assert len(study.cells) == 18
  ((test,),) = [claim.tests for claim in study.claims]
  pairs = measures.planned_pairs(study, test)
  assert len(pairs) == 6
  assert {cycles for *_, cycles in pairs} == {studies.CYCLES}
