"""Demonstrations by a teacher of someone's own."""

import json
import math
from pathlib import Path
import subprocess
import sys
import time

import psutil
import pytest

from datasets.store import EpisodeStore
from datasets.types import EpisodeId
from launchers.acting.demonstrating import DemonstrateConfig, Order
from launchers.runs import frozen
from tests.datasets import samples
from tests.launchers import counting
from tests.launchers.harness import ROOT
from tests.launchers.test_commands import command

STEPS, LANES = 20, 8


def words(directory: Path, teacher: str, episodes: int = 2) -> list[str]:
  return [
    '--teacher', teacher, '--directory', str(directory),
    '--task', 'cartpole-swingup', '--episodes', str(episodes),
    '--episode_steps', str(STEPS), '--noise', '0.2',
  ]  # fmt: skip


@pytest.mark.long
def test_a_killed_command_records_what_is_missing(tmp_path: Path) -> None:
  calm = tmp_path / 'calm'
  log = tmp_path / 'calm.log'
  done = command('demonstrate', *words(calm, counting.address(log), 30))
  assert done.returncode == 0, done.stderr
  assert counting.asked(log) == [LANES] * STEPS * math.ceil(30 / LANES)
  killed = tmp_path / 'killed'
  slow = counting.address(tmp_path / 'slow.log', pause=0.05)
  process = subprocess.Popen(
    [sys.executable, '-m', 'launchers.demonstrate', *words(killed, slow, 30)],
    cwd=ROOT, stderr=subprocess.DEVNULL,
  )  # fmt: skip
  deadline = time.monotonic() + 90
  while len(list(killed.glob('*.npz'))) < LANES:
    assert time.monotonic() < deadline
    assert process.poll() is None
    time.sleep(0.01)
  children = psutil.Process(process.pid).children(recursive=True)
  process.kill()
  process.wait()
  assert not psutil.wait_procs(children, timeout=10)[1]
  missing = 30 - len(EpisodeStore(killed).digests())
  assert 0 < missing < 30
  log = tmp_path / 'resumed.log'
  resumed = command('demonstrate', *words(killed, counting.address(log), 30))
  assert resumed.returncode == 0, resumed.stderr
  assert len(counting.asked(log)) == STEPS * math.ceil(missing / LANES)
  assert EpisodeStore(killed).digests() == EpisodeStore(calm).digests()
  results = [json.loads(run.stdout) for run in (done, resumed)]
  assert [result['recorded'] for result in results] == [30, missing]
  for key in ('episodes', 'transitions', 'return_mean', 'return_std'):
    assert results[0][key] == results[1][key]
  assert results[1]['transitions'] == 30 * STEPS


def test_without_labels_it_still_knows_who_demonstrated(tmp_path: Path) -> None:
  more = ('--no-labels', '--random-share', '0.5')
  log = tmp_path / 'log'
  first = command('demonstrate', *words(tmp_path, counting.address(log)), *more)
  assert first.returncode == 0, first.stderr
  for episode in EpisodeStore(tmp_path):
    assert episode.annotation is None
  newer = counting.address(log, version=2)
  refused = command('demonstrate', *words(tmp_path, newer, 3), *more)
  assert refused.returncode == 2
  assert 'has version 2' in ' '.join(refused.stderr.split())


def test_another_version_is_refused(tmp_path: Path) -> None:
  log = tmp_path / 'log'
  first = command('demonstrate', *words(tmp_path, counting.address(log)))
  assert first.returncode == 0, first.stderr
  before = counting.asked(log)
  newer = counting.address(log, version=2)
  refused = command('demonstrate', *words(tmp_path, newer, 3))
  assert refused.returncode == 2
  assert 'has version 2' in ' '.join(refused.stderr.split())
  assert counting.asked(log) == before
  assert len(EpisodeStore(tmp_path)) == 2


@pytest.mark.parametrize(
  ('option', 'value', 'difference'),
  [
    ('--episode_steps', '10', 'episode_steps: 20 there, 10 here'),
    ('--noise', '0.1', 'noise: 0.2 there, 0.1 here'),
    ('--seed', '1', 'seed: 0 there, 1 here'),
    ('--action_bound', '2', 'action_bound: None there, 2.0 here'),
  ],
)
def test_other_options_are_refused_with_the_difference(
  tmp_path: Path, option: str, value: str, difference: str
) -> None:
  config = DemonstrateConfig(
    'untrained', tmp_path, episodes=2, episode_steps=STEPS, noise=0.2
  )
  order = Order(config, 'cartpole-swingup', '1')
  frozen.freeze(order, tmp_path, '--directory')
  teacher = counting.address(tmp_path / 'log')
  refused = command('demonstrate', *words(tmp_path, teacher, 3), option, value)
  assert refused.returncode == 2
  said = ' '.join(refused.stderr.split())
  assert difference in said
  assert 'use another --directory.' in said
  assert 'Cycles' not in said
  assert not list(tmp_path.glob('*.npz'))


def test_more_episodes_and_other_processes_go_on(tmp_path: Path) -> None:
  teacher = counting.address(tmp_path / 'log')
  first = command('demonstrate', *words(tmp_path, teacher))
  assert first.returncode == 0, first.stderr
  more = words(tmp_path, teacher, 3)
  second = command('demonstrate', *more, '--processes', '2')
  assert second.returncode == 0, second.stderr
  assert json.loads(second.stdout)['recorded'] == 1


def test_what_others_recorded_is_left_alone(tmp_path: Path) -> None:
  store = EpisodeStore(tmp_path)
  store.commit(samples.make_episode(identity=EpisodeId('run', 0, 0, 0)))
  teacher = counting.address(tmp_path / 'log')
  refused = command('demonstrate', *words(tmp_path, teacher))
  assert refused.returncode == 2
  assert 'did not record' in ' '.join(refused.stderr.split())
  assert len(store) == 1


def test_actions_out_of_bounds_fail_and_leave_nothing(tmp_path: Path) -> None:
  liar = counting.address(tmp_path / 'log', 'make_lying')
  failed = command('demonstrate', *words(tmp_path, liar))
  assert failed.returncode == 1
  assert 'beyond [-1, 1]' in ' '.join(failed.stderr.split())
  assert not list(tmp_path.glob('*.npz'))


def test_python_of_ones_own_must_be_told_the_task(tmp_path: Path) -> None:
  refused = command(
    'demonstrate', '--teacher', counting.address(tmp_path / 'log'),
    '--directory', str(tmp_path),
  )  # fmt: skip
  assert refused.returncode == 2
  assert 'give --task' in ' '.join(refused.stderr.split())


def test_evaluate_takes_any_teacher(tmp_path: Path) -> None:
  log = tmp_path / 'log'
  measured = command(
    'evaluate', '--policy', counting.address(log), '--episodes', '2',
    '--task', 'cartpole:swingup', '--episode_steps', str(STEPS),
  )  # fmt: skip
  assert measured.returncode == 0, measured.stderr
  result = json.loads(measured.stdout)
  assert (result['episodes'], result['task']) == (2, 'cartpole-swingup')
  assert counting.asked(log) == [LANES] * STEPS
