"""Study files: what they say, and what is refused."""

import dataclasses
from pathlib import Path

import pytest

from agents.config import ObjectiveConfig
from launchers.runs.config import GrowingBatchConfig
from launchers.studies import config as study_config
from launchers.studies import file as study_file
from launchers.studies import measures

ROOT = Path(__file__).resolve().parents[3]
SMALL = """
title = 'Small'
baseline = 'none'
run = {actor_steps = 4_000, agent = {batch_size = 128}}
grid = [{task = ['finger-spin'], tier = ['mid'], seed = [1, 0], cycles = [2],
         method = ['none', 'own']}]
[methods.own]
objective = {kind = 'bc_fixed', weight = 2.0}
[[claim]]
id = 'C'
text = 'It is better.'
test = [{measure = 'late', method = 'own', above_method = 'none'}]
"""


def load(tmp_path: Path, text: str, **kwargs: object) -> study_config.Study:
  path = tmp_path / 'small.toml'
  path.write_text(text)
  return study_file.load(path, **kwargs)  # type: ignore[arg-type]


def test_a_grid_becomes_cells(tmp_path: Path) -> None:
  study = load(tmp_path, SMALL)
  assert [(c.seed, c.method) for c in study.cells] == [
    (1, 'none'), (1, 'own'), (0, 'none'), (0, 'own'),
  ]  # fmt: skip
  own = study.cells[1].config
  assert own.teacher == 'finger-spin/mid'
  assert own.objective == ObjectiveConfig('bc_fixed', weight=2.0)
  assert own.agent.batch_size == 128
  assert own.total_learner_steps == 1_000
  (test,) = study.claims[0].tests
  assert (test.method, test.bound, test.is_above) == ('own', 'none', True)


def test_methods_share_the_start_and_seeds_do_not(tmp_path: Path) -> None:
  cells = load(tmp_path, SMALL).cells
  assert cells[0].start == cells[1].start != cells[2].start
  assert cells[0].start.cycles == 0
  assert cells[0].start.total_learner_steps == 0


def test_equal_cells_of_two_studies_have_one_name(tmp_path: Path) -> None:
  names = {cell.name for cell in load(tmp_path, SMALL).cells}
  bigger = load(tmp_path, SMALL.replace('cycles = [2]', 'cycles = [1, 2]'))
  assert names < {cell.name for cell in bigger.cells}
  other = load(tmp_path, SMALL.replace('batch_size = 128', 'batch_size = 64'))
  assert not names & {cell.name for cell in other.cells}


def test_seeds_can_be_given(tmp_path: Path) -> None:
  study = load(tmp_path, SMALL, seeds=(7,))
  assert {cell.seed for cell in study.cells} == {7}


def test_a_file_supplies_what_another_does_not_say(tmp_path: Path) -> None:
  load(tmp_path, SMALL)
  path = tmp_path / 'other.toml'
  path.write_text("extends = ['small.toml']\nrun = {actor_steps = 8_000}\n")
  study = study_file.load(path)
  assert study.name == 'other'
  assert study.cells[0].config.actor_steps == 8_000
  assert study.cells[0].config.agent.batch_size == 256


@pytest.mark.parametrize(
  ('old', 'new', 'message'),
  [
    ('title', 'titel', r'unknown .titel.*Did you mean title\?'),
    ('actor_steps', 'steps', "no option 'steps'"),
    ('actor_steps', 'actor_step', 'Did you mean actor_steps, '),
    ('batch_size = 128', 'batch_size = 0', 'batch_size is 0'),
    ("'own']", "'bc']", r"no method 'bc'\. There are none, bc_fixed"),
    ("'own']", "'bc_fxed']", "no method 'bc_fxed'. Did you mean bc_fixed"),
    ("= 'none'\nrun", "= 'bc_fixed'\nrun", 'in no grid. There are none, own'),
    ("= 'none'\nrun", "= 'nine'\nrun", 'in no grid. Did you mean none'),
    ("above_method = 'none'", 'above_mean = 1', 'unknown .*above_mean'),
    ("above_method = 'none'", 'above = 1, below = 2', 'exactly one'),
    ("above_method = 'none'", "above_method = 'q_filter'", 'q_filter'),
    (
      "method = 'own', ab",
      "method = 'onw', ab",
      'in no grid. Did you mean own',
    ),
    ('[methods.own]', '[methods.own', 'no TOML'),
  ],
)
def test_what_is_no_study_is_refused(
  tmp_path: Path, old: str, new: str, message: str
) -> None:
  assert old in SMALL
  with pytest.raises(study_config.StudyError, match=message) as error:
    load(tmp_path, SMALL.replace(old, new, 1))
  assert 'small.toml' in str(error.value)


_TASK, _ABOVE = "task = ['finger-spin']", "above_method = 'none'"
_NONSENSE = [
  (_ABOVE, 'below = nan', r'claim C: test\[0\].below is nan'),
  (_ABOVE, 'above = -inf', r'claim C: test\[0\].above is -inf'),
  (_ABOVE, 'above = true', r'claim C: test\[0\].above is True'),
  (_ABOVE, "above = 'none'", r"claim C: test\[0\].above is 'none'"),
  (_ABOVE, 'above_method = 3', r'claim C: test\[0\].above_method is 3'),
  (_ABOVE, f'{_ABOVE}, where = 3', r'claim C: test\[0\].where is 3'),
  (_ABOVE, f'{_ABOVE}, where = {{seed = nan}}', 'where.seed is nan'),
  ("measure = 'late'", 'measure = {}', r'claim C: test\[0\].measure is {}'),
  ("id = 'C'", 'id = {}', r'claim\[0\].id is {}'),
  ("'It is better.'", '3', 'claim C: text is 3'),
  ("title = 'Small'", 'title = {}', 'title is {}'),
  ('seed = [1, 0]', 'seed = [inf]', r'grid\[0\].seed\[0\] is inf'),
  ('seed = [1, 0]', 'seed = [0, 1e23]', r'seed\[1\] is 1e\+23; .* from 0 to'),
  ('seed = [1, 0]', 'seed = [-1]', r'seed\[0\] is -1'),
  ('seed = [1, 0]', 'seed = 1', r'grid\[0\].seed is 1; give a list'),
  ('cycles = [2]', 'cycles = [0]', r'cycles\[0\] is 0'),
  (_TASK, "task = [['finger-spin']]", r"task\[0\] is \['finger-spin'\]"),
  (_TASK, "task = 'finger-spin'", r"grid\[0\].task is 'finger-spin'; .* list"),
  ("tier = ['mid']", 'tier = [3]', r'tier\[0\] is 3'),
  ("'own']", '{}]', r'method\[1\] is {}'),
  ('agent = {batch_size = 128}', 'agent = 3', 'agent is 3; give a table'),
  ("{kind = 'bc_fixed', weight = 2.0}", '3', 'objective is 3; give a table'),
  ("title = 'Small'", 'title = "x"\nextends = 3', 'extends is 3'),
  ("title = 'Small'", 'title = "x"\nextends = ["small.toml"]', 'itself'),
  ("title = 'Small'", f'title = {"[" * 1000}', 'no TOML'),
  ('It is better.', '\udcff', 'no TOML'),
]


@pytest.mark.parametrize(('old', 'new', 'message'), _NONSENSE)
def test_nonsense_is_refused_with_file_place_and_value(
  tmp_path: Path, old: str, new: str, message: str
) -> None:
  assert SMALL.count(old) == 1
  path = tmp_path / 'small.toml'
  path.write_text(SMALL.replace(old, new), 'utf-8', 'surrogateescape')
  with pytest.raises(study_config.StudyError, match=message) as error:
    study_file.load(path)
  assert 'small.toml' in str(error.value)


def test_two_claims_of_one_name_are_refused(tmp_path: Path) -> None:
  claim = SMALL[SMALL.index('[[claim]]') :]
  with pytest.raises(study_config.StudyError, match=r"claim\[1\].id is 'C'"):
    load(tmp_path, SMALL + claim)


def test_a_directory_is_refused_by_name(tmp_path: Path) -> None:
  (tmp_path / 'mine.toml').touch()
  message = f'is a directory; name .*{tmp_path}/mine.toml'
  with pytest.raises(study_config.StudyError, match=message):
    study_file.load(tmp_path)


def test_a_missing_file_is_refused_with_those_there_are() -> None:
  with pytest.raises(study_config.StudyError, match=r'exist\. There are .*\d'):
    study_file.load(Path('none'))
  meant = 'Did you mean studies/figure4-small.toml'
  with pytest.raises(study_config.StudyError, match=meant):
    study_file.load(Path('studies/figure4-smal.toml'))


@pytest.mark.parametrize(
  'path', sorted((ROOT / 'studies').glob('*.toml')), ids=lambda path: path.stem
)
def test_the_studies_that_ship_can_be_run(path: Path) -> None:
  study = study_file.load(path)
  measures.check(study)
  assert study.cells
  assert bool(study.claims) == (study.name != 'all-full')


def test_the_full_size_is_the_papers() -> None:
  """Six tasks, five seeds, 4 and 8 cycles; the paper's hyper-parameters."""
  paths = sorted((ROOT / 'studies').glob('figure*-full.toml'))
  assert len(paths) == 5
  cells = [c for path in paths for c in study_file.load(path).cells]
  every = study_file.load(ROOT / 'studies/all-full.toml').cells
  assert {cell.name for cell in cells} < {cell.name for cell in every}
  assert len({cell.task for cell in cells}) == 6
  assert len({cell.seed for cell in cells}) == 5
  assert {cell.cycles for cell in cells} == {4, 8}
  assert {cell.tier for cell in cells} == {'expert', 'mid'}
  assert len({cell.method for cell in cells}) == 9
  for cell in cells:
    plain = dataclasses.replace(
      GrowingBatchConfig(),
      name=cell.name,
      task=cell.task,
      seed=cell.seed,
      cycles=cell.cycles,
      teacher=cell.config.teacher,
      objective=cell.config.objective,
    )
    assert cell.config == plain


def test_the_central_study_is_of_the_papers_size_and_has_its_order() -> None:
  study = study_file.load(ROOT / 'studies/central-full.toml')
  every = study_file.load(ROOT / 'studies/all-full.toml').cells
  assert {cell.name for cell in study.cells} < {cell.name for cell in every}
  tiers = [cell.tier for cell in study.cells]
  assert tiers == ['expert'] * 63 + ['mid'] * 9
  first = ['none', 'bc_decay_r1', 'q_filter', 'teacher_grad_r1']
  first.append('teacher_action_r1')
  assert [(c.task, c.seed, c.method) for c in study.cells[:30]] == [
    (task, seed, method)
    for task in ('finger-spin', 'cheetah-run')
    for seed in (1, 2, 3)
    for method in first
  ]


def test_the_central_study_judges_by_the_rules_of_the_small_ones() -> None:
  small: dict[str, list[study_config.Test]] = {}
  for figure in ('4', '5', '6a', '6b', '7'):
    path = ROOT / f'studies/figure{figure}-small.toml'
    for claim in study_file.load(path).claims:
      small[claim.id] = [_plain(test) for test in claim.tests]
  study = study_file.load(ROOT / 'studies/central-full.toml')
  cells = {(cell.tier, cell.method) for cell in study.cells}
  assert {claim.id for claim in study.claims} == {
    *small.keys() - {'A-C2c', 'A-C3b', 'A-C4c'}
  }
  for claim in study.claims:
    tier = 'mid' if claim.id.startswith('A-C7') else 'expert'
    possible = [
      test
      for test in small[claim.id]
      if (tier, test.method) in cells
      and (not isinstance(test.bound, str) or (tier, test.bound) in cells)
    ]
    assert [_plain(test) for test in claim.tests] == possible, claim.id
    for test in claim.tests:
      pairs = measures.planned_pairs(study, test)
      assert {pair[1] for pair in pairs} == {tier}


def _plain(test: study_config.Test) -> study_config.Test:
  return dataclasses.replace(test, where={})


def test_new_options_leave_the_names_of_finished_runs_alone() -> None:
  """A name that was given once: files of cells have it."""
  cell = study_file.load(ROOT / 'studies/central-full.toml').cells[0]
  assert cell.name == 'finger-spin-expert-none-4-1-1b50d7e2'
  assert cell.start.run_name == 'start-finger-spin-expert-1-d91f8775'


def test_patterns_choose_cells(tmp_path: Path) -> None:
  study = load(tmp_path, SMALL)
  assert study_config.chosen(study, ()) == list(study.cells)
  found = study_config.chosen(study, ('*-own-*-0-*', study.cells[0].name))
  assert found == [study.cells[0], study.cells[3]]
  with pytest.raises(study_config.StudyError, match="no run 'other-\\*'"):
    study_config.chosen(study, ('*', 'other-*'))
