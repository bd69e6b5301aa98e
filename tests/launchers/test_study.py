"""Studies as real processes: done, killed and gone on with, with a failure."""

import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from launchers.runs import provenance
from tests.launchers.harness import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.long]

STUDY = """
title = 'Tiny'
baseline = 'none'
claim = []
[[grid]]
task = ['cartpole-balance']
tier = ['expert']
seed = [0]
cycles = [2]
method = ['none', 'bc_fixed', 'broken']
[methods.broken]
objective = {kind = 'teacher_action'}
teacher = 'tests.launchers.sloth:fickle'
demonstrations = {teacher = 'cartpole-balance/expert'}
[run]
actor_steps = 160
learner_steps = 80
episode_steps = 40
critic_pretrain_steps = 20
checkpoint_interval = 20
[run.agent]
policy_layer_sizes = [8, 8]
critic_layer_sizes = [8, 8]
batch_size = 8
[run.cloning]
steps = 20
evaluation_interval = 10
batch_size = 8
[run.demonstrations]
episodes = 3
noise = 0.1
[run.evaluation]
interval = 20
final_episodes = 2
"""
NETS = ('critic', 'perturbation', 'vae')
WHOLE = STUDY.replace(", 'broken'", '')


def start(directory: Path, text: str, *options: str) -> subprocess.Popen[str]:
  (directory / 'tiny.toml').write_text(text)
  words = [str(directory / 'tiny.toml'), '--runs', str(directory)]
  words += ['--cells', str(directory / 'kept'), *options]
  return subprocess.Popen(
    [sys.executable, '-m', 'launchers.study', *words],
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    cwd=ROOT,
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
  )


def finish(directory: Path, text: str, code: int, *options: str) -> str:
  process = start(directory, text, *options)
  output, _ = process.communicate(timeout=240)
  assert process.returncode == code, output
  return output


def results(directory: Path) -> dict[str, Any]:
  path = directory / 'studies/reports/tiny/results.json'
  found = json.loads(path.read_text())
  return {key: value for key, value in found.items() if key != 'provenance'}


def digests(directory: Path) -> dict[str, str]:
  """Of what each kept cell found."""
  return {
    path.stem: json.loads(path.read_text())['digest']
    for path in sorted((directory / 'kept').iterdir())
  }


def wait_for(process: subprocess.Popen[str], path: Path, pattern: str) -> None:
  deadline = time.monotonic() + 120
  while not list(path.glob(pattern)):
    assert process.poll() is None
    assert time.monotonic() < deadline
    time.sleep(0.02)


def check_it_goes_on(
  process: 'subprocess.Popen[str]',
  number: signal.Signals,
  study: str,
  directory: Path,
  calm: Path,
) -> None:
  """A study that a signal ends leaves nobody, and ends as one left alone."""
  children = psutil.Process(process.pid).children(recursive=True)
  process.send_signal(number)
  expected = -9 if number == signal.SIGKILL else 128 + number
  assert process.wait(60) == expected
  _, alive = psutil.wait_procs(children, timeout=30)
  assert not alive
  finish(directory, study, 0)
  assert results(directory) == results(calm)
  assert digests(directory) == digests(calm)


def check_files_are_enough(study: str, directory: Path, calm: Path) -> None:
  """Nothing is run where the files of another machine are there."""
  shutil.copytree(calm / 'kept', directory / 'kept')
  finish(directory, study, 0)
  assert not (directory / 'studies/cells').exists()
  assert not (directory / 'studies/starts').exists()
  assert results(directory) == results(calm)


@pytest.fixture(scope='module')
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
  directory = tmp_path_factory.mktemp('calm')
  finish(directory, WHOLE, 0)
  return directory


def test_a_report_that_cannot_be_written_fails_by_name(
  calm: Path, tmp_path: Path
) -> None:
  directory = tmp_path / 'again'
  shutil.copytree(calm, directory)
  place = directory / 'studies/reports/tiny'
  shutil.rmtree(place)
  place.write_text('in the way')
  output = finish(directory, WHOLE, 1)
  assert str(place) in output
  assert '--output' in output
  assert 'Traceback' not in output


def test_a_failure_is_named_and_the_rest_goes_on(
  calm: Path, tmp_path: Path
) -> None:
  output = finish(tmp_path, STUDY, 1)
  assert 'Failed: cartpole-balance-expert-broken-2-0' in output
  cells = tmp_path / 'studies/cells'
  assert len(list(cells.glob('*/cycles/002/policy.npz'))) == 2
  # The one that is shared, and that of the run with another teacher.
  assert len(list((tmp_path / 'studies/starts').iterdir())) == 2
  (log,) = cells.glob('*broken*/study.log')
  assert 'fickle' in log.read_text()


@pytest.mark.parametrize(
  ('old', 'new', 'words'),
  [
    ("['expert']", "['exprt']", ('cartpole-balance/exprt', 'expert')),
    ("['cartpole-balance']", "['cartpole-balanc']", ('cartpole-balance',)),
    ('tests.launchers.sloth', 'nowhere', ('broken', "'nowhere'")),
    ('sloth:fickle', 'sloth:absent', ('broken', "'absent'")),
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


def test_an_expert_that_nobody_has_is_measured_once(tmp_path: Path) -> None:
  task = 'tests.launchers.environments.examples:point?limit=20'
  teacher = 'tests.launchers.sloth:awake'
  text = WHOLE.replace("'cartpole-balance'", f"'{task}'")
  text = text.replace("['expert']", "['novice']").replace(
    "demonstrations = {teacher = 'cartpole-balance/expert'}\n", ''
  )
  text += f"[teachers.'{task}']\nexpert = '{teacher}'\nnovice = '{teacher}'\n"
  output = finish(tmp_path, text, 0)
  assert f'Measuring the expert of {task}' in output
  (kept,) = (tmp_path / 'kept/experts').iterdir()
  found = json.loads(kept.read_text())
  assert (found['task'], found['policy']) == (task, teacher)
  assert found['episodes'] == 20
  assert task in results(tmp_path)['expert_returns']
  assert 'Measuring' not in finish(tmp_path, text, 0)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_it_goes_on_where_it_was(
  calm: Path, tmp_path: Path, number: signal.Signals
) -> None:
  process = start(tmp_path, WHOLE)
  wait_for(process, tmp_path, 'studies/cells/*/cycles/001/metrics.csv')
  check_it_goes_on(process, number, WHOLE, tmp_path, calm)


def test_it_goes_on_from_the_files_of_another_machine(
  calm: Path, tmp_path: Path
) -> None:
  check_files_are_enough(WHOLE, tmp_path, calm)


def test_a_cell_alone_is_bitwise_the_same_again(
  calm: Path, tmp_path: Path
) -> None:
  name = next(iter(digests(calm)))
  tree = json.loads((calm / 'kept' / f'{name}.json').read_text())
  assert tree['command'].split()[3:6] == ['tiny.toml', '--only', name]
  (origin,) = tree['provenance']
  assert origin == {**provenance.collect(), 'cycles': [0, 1, 2]}
  # Other threads, too, and nothing but the file is left.
  finish(tmp_path, WHOLE, 0, '--only', name, '--parallel', '1', '--discard')
  assert digests(tmp_path) == {name: tree['digest']}
  assert not (tmp_path / 'studies/cells' / name).exists()
  finish(tmp_path, WHOLE, 2, '--only', 'nobody')


def test_what_is_finished_is_not_run_again(calm: Path) -> None:
  before = {path: path.stat().st_mtime_ns for path in calm.rglob('study.json')}
  assert len(before) == 3
  finish(calm, WHOLE, 0)
  after = {path: path.stat().st_mtime_ns for path in calm.rglob('study.json')}
  assert after == before


def test_agents_are_methods_like_others(calm: Path, tmp_path: Path) -> None:
  """Two share their cycle 0, and a third has its own."""
  small = ', '.join(f'{net}_layer_sizes = [8, 8]' for net in NETS)
  abm = "kind = 'abm_mpo', policy_layer_sizes = [8, 8], batch_size = 8"
  abm += ', critic_layer_sizes = [8, 8]'
  text = WHOLE.replace("'bc_fixed'", "'abm', 'abm_filtered', 'bcq'")
  text += f"""
[methods.abm]
agent = {{{abm}}}
objective = {{kind = 'none'}}
[methods.abm_filtered]
agent = {{{abm}}}
objective = {{kind = 'q_filter'}}
[methods.bcq]
agent = {{kind = 'bcq', batch_size = 8, {small}}}
objective = {{kind = 'none'}}
"""
  finish(tmp_path, text, 0)
  assert len(list((tmp_path / 'studies/starts').iterdir())) == 3
  assert len(digests(tmp_path)) == 4
  of_d4pg = {name: d for name, d in digests(calm).items() if '-none-' in name}
  assert of_d4pg.items() <= digests(tmp_path).items()


def test_a_file_that_is_no_study_is_refused(tmp_path: Path) -> None:
  output = finish(tmp_path, WHOLE.replace('bc_fixed', 'bc'), 2)
  assert "no method 'bc'" in output
