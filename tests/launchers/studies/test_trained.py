"""Finished trainings from logs as the runs of a study; nothing is trained."""

from pathlib import Path

import pytest

from launchers.studies import results, stages
from launchers.studies.cell_check import CellFileError
from launchers.studies.config import Study
from launchers.studies.jobs import jobs_of
from launchers.studies.outcomes import collect
from tests.launchers.studies import trainings
from tests.launchers.studies.samples import archive


@pytest.fixture
def study(tmp_path: Path) -> Study:
  return trainings.load(tmp_path)


def train_all(study: Study, tmp_path: Path) -> None:
  for cell in study.cells:
    trainings.train(tmp_path / 'runs', cell)


def test_a_training_is_a_run_whose_teacher_is_its_log(
  tmp_path: Path, study: Study
) -> None:
  train_all(study, tmp_path)
  curves = collect(study, archive(tmp_path)).curves
  _, policy, prior, ddpg, _ = (curves.get(c.column) for c in study.columns[:5])
  assert policy is not None
  assert prior is not None
  assert ddpg is not None
  assert list(policy.steps) == [100, 200, 300, 400]
  assert tuple(policy.returns) == trainings.RETURNS
  assert tuple(prior.returns) == (0.5, 1.5, 1.0, 2.0)
  assert (policy.final, prior.final, policy.teacher) == (4.0, 2.0, 2.0)
  assert policy.expert == 1.0
  assert (policy.value, ddpg.value, policy.logged) == (16.0, 16.0, 5.0)


def test_a_prior_that_there_is_not_is_missing(
  tmp_path: Path, study: Study
) -> None:
  train_all(study, tmp_path)
  missing = collect(study, archive(tmp_path)).missing
  assert list(missing) == [
    c.column for c in study.columns if c.method == 'bc:prior'
  ]
  assert {*missing.values()} == {'its agent has no prior beside its policy'}


def test_what_is_kept_gives_the_same_as_the_directory(
  tmp_path: Path, study: Study
) -> None:
  train_all(study, tmp_path)
  place = archive(tmp_path)
  before = collect(study, place)
  for cell in study.cells:
    assert place.keep(cell, 'python -m it') == ''
    assert place.keep(cell, 'python -m it') == ''  # The same again.
  after = collect(study, archive(tmp_path))
  assert after.scores().equals(before.scores())
  assert after.cost == before.cost
  assert str(tmp_path) not in place.file(study.cells[0]).read_text()


def test_a_difference_is_found(tmp_path: Path, study: Study) -> None:
  cell, place = study.cells[1], archive(tmp_path)
  root = trainings.train(tmp_path / 'runs', cell)
  place.keep(cell, '')
  path = root / 'evaluation.csv'
  path.write_text(path.read_text().replace('1.0,0.5', '1.25,0.5'))
  difference = place.keep(cell, '')
  assert 'evaluations.interval.return_mean[0]: 1.0 there, 1.25' in difference


def test_another_log_is_another_configuration(
  tmp_path: Path, study: Study
) -> None:
  cell, place = study.cells[0], archive(tmp_path)
  root = trainings.train(tmp_path / 'runs', cell)
  path = root / stages.FOUND
  path.write_text(path.read_text().replace('episodes=9', 'episodes=8'))
  with pytest.raises(CellFileError, match=r'log\.make: .*episodes=8'):
    place.keep(cell, '')


def test_an_unfinished_one_says_how_far_it_is(
  tmp_path: Path, study: Study
) -> None:
  cell, place = study.cells[0], archive(tmp_path)
  assert place.find(cell) == (None, 'not begun')
  root = trainings.train(tmp_path / 'runs', cell)
  start, job = jobs_of([cell], place)
  assert (start.is_finished, job.is_finished, job.progress) == (True, True, 1.0)
  (root / stages.FOUND).unlink()
  assert place.find(cell) == (None, 'unfinished: 400 of 400 updates done')
  assert not job.is_finished
  (place.start(cell) / stages.LOG).unlink()
  assert not start.is_finished
  assert start.progress == 0.0


def test_a_failed_evaluation_is_no_result(tmp_path: Path, study: Study) -> None:
  cell = study.cells[0]
  root = trainings.train(tmp_path / 'runs', cell)
  path = root / 'evaluation.csv'
  path.write_text(path.read_text().replace('4.0,0.5', ','))
  found, reason = archive(tmp_path).find(cell)
  assert found is None
  assert reason == 'finished, but an evaluation of it failed'


def test_older_sources_are_known_of_logs_and_trainings(
  tmp_path: Path, study: Study
) -> None:
  cell, place = study.cells[0], archive(tmp_path)
  for root in (trainings.train(tmp_path / 'runs', cell), place.start(cell)):
    assert not results.is_older_directory(root)
    path = root / 'config.json'
    path.write_text(path.read_text().replace('"results": ', '"results": -'))
    assert results.is_older_directory(root)
