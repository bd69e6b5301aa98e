"""Studies of logs as real processes: done, killed and gone on with, refused."""

import json
from pathlib import Path
import shutil
import signal

import pandas as pd
import pytest

from datasets.store import EpisodeStore
from tests.launchers import test_study as studies
from tests.launchers.test_study import digests, finish, results, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.long]

MAKE = "make = 'studies.point:write_log?episodes=9'"
STUDY = f"""
title = 'Tiny'
baseline = 'bc'
[[grid]]
task = ['studies.point:make']
log = ['mixed']
seed = [0]
method = ['bc', 'abm_mpo', 'abm_mpo:prior']
[logs.mixed]
{MAKE}
[run]
learner_steps = 400
evaluation_interval = 100
evaluation_episodes = 2
checkpoint_interval = 100
[agent]
policy_layer_sizes = [8, 8]
critic_layer_sizes = [8, 8]
batch_size = 8
snippet_length = 2
[[claim]]
id = 'C'
text = 'It is better than its prior.'
[[claim.test]]
measure = 'final'
method = 'abm_mpo'
above_method = 'abm_mpo:prior'
"""


@pytest.fixture(scope='module')
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
  directory = tmp_path_factory.mktemp('calm')
  finish(directory, STUDY, 0)
  return directory


def test_policies_and_priors_are_compared(calm: Path) -> None:
  found = results(calm)
  assert not found['missing']
  rows = {row['method']: row for row in found['table']}
  assert list(rows) == ['bc', 'abm_mpo', 'abm_mpo:prior']
  (start,) = (calm / 'studies/starts').iterdir()
  episodes = list(EpisodeStore.open(start / 'episodes'))
  assert len(episodes) == 9
  mean = sum(episode.episode_return for episode in episodes) / 9
  for run in found['runs']:
    assert run['teacher_return'] == pytest.approx(mean, rel=1e-5)
    assert (run['log'], run['seed']) == ('mixed', 0)
    ratio = run['measures']['late'] / run['teacher_return']
    assert run['measures']['final_vs_teacher'] == pytest.approx(ratio, abs=1e-5)
  values = {run['method']: run['measures']['promise'] for run in found['runs']}
  assert values['abm_mpo'] is not None
  assert values['bc'] is values['abm_mpo:prior'] is None
  report = calm / 'studies/reports/tiny'
  curves = pd.read_csv(report / 'curves.csv')
  assert list(curves) == ['task', 'log', 'seed', 'method', 'step', 'return']
  assert list(curves['step'][:4]) == [100.0, 200.0, 300.0, 400.0]
  (run,) = (calm / 'studies/cells').glob('*abm_mpo*')
  table = pd.read_csv(run / 'evaluation.csv')
  prior = curves[curves['method'] == 'abm_mpo:prior']['return']
  expected = table['prior_return_mean'].round(2)
  assert list(prior) == pytest.approx(list(expected))
  text = (report / 'table.md').read_text()
  assert 'final of abm_mpo above that of abm_mpo:prior' in text
  assert 'initial_drop' not in text
  for path in report.iterdir():
    assert str(calm).encode() not in path.read_bytes(), path


def test_a_cell_says_what_it_learned_from(calm: Path) -> None:
  paths = sorted((calm / 'kept').iterdir())
  assert len(paths) == 2
  for path in paths:
    tree = json.loads(path.read_text())
    assert tree['configuration']['log']['make'] in MAKE
    assert tree['teacher_return']['episodes'] == 9
    (cycle,) = tree['cycles']
    assert (cycle['cycle'], cycle['steps']) == (1, 180)
    assert cycle['collected_return_max'] >= cycle['collected_return_mean']
    assert str(calm) not in path.read_text()
    for cost in ('cost', 'start_cost'):
      assert tree[cost]['cpu_seconds'] > 0


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_it_goes_on_where_it_was(
  calm: Path, tmp_path: Path, number: signal.Signals
) -> None:
  process = studies.start(tmp_path, STUDY, '--parallel', '1')
  wait_for(process, tmp_path, 'studies/cells/*abm_mpo*/learner/*')
  studies.check_it_goes_on(process, number, STUDY, tmp_path, calm)


def test_it_goes_on_from_the_files_of_another_machine(
  calm: Path, tmp_path: Path
) -> None:
  studies.check_files_are_enough(STUDY, tmp_path, calm)


def test_what_is_kept_can_be_discarded(calm: Path, tmp_path: Path) -> None:
  shutil.copytree(calm / 'studies', tmp_path / 'studies')
  finish(tmp_path, STUDY, 0, '--discard')
  assert digests(tmp_path) == digests(calm)
  for kind in ('cells', 'starts'):
    assert not list((tmp_path / 'studies' / kind).iterdir())


def test_what_older_sources_gave_is_run_again(
  calm: Path, tmp_path: Path
) -> None:
  shutil.copytree(calm / 'studies', tmp_path / 'studies')
  (start,) = (tmp_path / 'studies/starts').iterdir()
  path = start / 'config.json'
  text = path.read_text().replace('"results": ', '"results": -')
  path.write_text(text)
  finish(tmp_path, STUDY, 0, '--fresh')
  assert (tmp_path / 'studies/older/starts' / start.name).is_dir()
  assert digests(tmp_path) == digests(calm)


def test_logs_that_are_there_are_learned_from_together(
  calm: Path, tmp_path: Path
) -> None:
  (start,) = (calm / 'studies/starts').iterdir()
  for name in 'ab':
    shutil.copytree(start / 'episodes', tmp_path / name)
  data = f"data = ['{tmp_path}/a', '{tmp_path}/b']\nfirst_episodes = 5"
  finish(tmp_path, STUDY.replace(MAKE, data), 0, '--only', '*-bc-*')
  (path,) = (tmp_path / 'kept').iterdir()
  (cycle,) = json.loads(path.read_text())['cycles']
  assert cycle['episodes'] == 10
  assert cycle['steps'] == 200


def test_a_log_with_too_few_episodes_is_named(tmp_path: Path) -> None:
  few = f'{MAKE}\nfirst_episodes = 10'
  output = finish(tmp_path, STUDY.replace(MAKE, few), 1)
  assert 'Failed: log-studies.point-make-mixed-0' in output
  (log,) = (tmp_path / 'studies/starts').glob('*/study.log')
  assert 'holds 9 episodes; wanted are 10' in log.read_text()


@pytest.mark.parametrize(
  ('old', 'new', 'words'),
  [
    ('point:write_log', 'point:wrte_log', ('logs.mixed', 'write_log')),
    (MAKE, "data = ['nowhere']", ('logs.mixed', 'nowhere')),
    ('studies.point:make', 'studies.point:mkae', ('studies.point:mkae',)),
    ("'bc', 'abm_mpo'", "'bc', 'abm_mop'", ("'abm_mop'", 'abm_mpo')),
  ],
)
def test_what_is_wrong_with_a_study_is_said_before_it_begins(
  tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
  output = finish(tmp_path, STUDY.replace(old, new), 2)
  assert output.startswith('Refused: ')
  assert all(word in output for word in words), output
  assert 'Traceback' not in output
  assert not (tmp_path / 'studies').exists()
