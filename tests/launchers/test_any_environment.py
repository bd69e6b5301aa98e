"""A user's environment through all commands; it has every fault at once."""

import json
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from agents.deployed.policy import Snapshot
from datasets.store import EpisodeStore
from launchers.runs.run_directory import RunDirectory
from tests.launchers import harness

# Terminates early, cuts episodes, sometimes raises, sometimes gives NaN, leaks,
# and takes its time.
TASK = (
  'tests.launchers.environments.examples:point?'
  'delay=0.05&edge=1.2&leak=100000&limit=10&nan=0.01&raises=0.01'
)
STEPS = 12

pytestmark = [pytest.mark.long, pytest.mark.processes]


def command(name: str, *words: str) -> dict[str, Any]:
  """The result of a command, which must be good."""
  result = subprocess.run(
    [sys.executable, '-m', f'launchers.{name}', *words],
    cwd=harness.ROOT, capture_output=True, text=True, timeout=300,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
  return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope='module')
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """A snapshot that was trained online in that environment."""
  result = command(
    'online', '--task', TASK, '--episodes', '6', '--episode_steps', str(STEPS),
    '--updates_per_episode', '5', '--evaluation_interval', '3',
    '--evaluation_episodes', '3', '--agent.policy_layer_sizes', '8', '8',
    '--agent.critic_layer_sizes', '8', '8', '--agent.batch_size', '8',
    '--max_refused_fraction', '2',
    '--runs', str(tmp_path_factory.mktemp('online')),
  )  # fmt: skip
  assert result['episodes'] == 6
  path = Path(result['best'])
  assert Snapshot.from_bytes(path.read_bytes()).metadata['task'] == TASK
  return path


def options(teacher: Path) -> dict[str, Any]:
  return {
    'task': TASK,
    'teacher': str(teacher),
    'episode_steps': STEPS,
    'actor_steps': 2 * 2 * STEPS,
    'max_refused_fraction': 5,
  }


def test_it_demonstrates_and_is_evaluated(
  teacher: Path, tmp_path: Path
) -> None:
  words = (
    '--teacher', str(teacher), '--directory', str(tmp_path / 'episodes'),
    '--episodes', '6', '--episode_steps', str(STEPS), '--noise', '0.5',
    '--max_refused_fraction', '2', '--task', TASK,
  )  # fmt: skip
  assert command('demonstrate', *words)['recorded'] == 6
  assert command('demonstrate', *words)['recorded'] == 0
  for episode in EpisodeStore(tmp_path / 'episodes'):
    assert episode.num_steps <= 10
    assert (episode.num_steps == 10) or episode.discounts[-1] == 0
  result = command(
    'evaluate', '--policy', str(teacher), '--episodes', '8',
    '--episode_steps', str(STEPS), '--task', TASK,
  )  # fmt: skip
  assert result['task'] == TASK
  assert result['episodes'] + result['failures'] == 8
  assert np.isfinite(result['return_mean'])


def test_evaluations_that_all_fail_have_no_mean() -> None:
  result = command(
    'evaluate', '--policy', 'untrained', '--episodes', '2',
    '--task', TASK.replace('nan=0.01', 'nan=1'),
  )  # fmt: skip
  assert result['episodes'] == 0
  assert result['failures'] == 2
  assert result['return_mean'] is None


def test_a_run_that_is_killed_ends_as_one_that_is_not(
  teacher: Path, tmp_path: Path
) -> None:
  calm, killed = tmp_path / 'calm', tmp_path / 'killed'
  calm.mkdir()
  killed.mkdir()
  changes = options(teacher)
  reference = harness.complete(
    calm, **changes, report=True, **{'no-report': None}
  )
  with harness.launched(killed, **changes) as run:
    run.wait_for(
      lambda: list((run.directory / 'cycles').glob('001/episodes/*'))
    )
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
  with harness.launched(killed, **changes) as run:
    run.wait_for(lambda: run.metrics(2))
    run.kill('learner')
    run.wait()
  harness.complete(killed, **changes)
  policies = harness.final_policies(reference.directory)
  assert len(policies) == 3
  assert harness.final_policies(killed / 'tiny') == policies
  for cycle in (0, 1, 2):
    store = RunDirectory(killed / 'tiny').store(cycle)
    same = RunDirectory(reference.directory).store(cycle)
    assert store.digests() == same.digests()
  refused = list(reference.directory.glob('cycles/*/refused.csv'))
  text = ''.join(path.read_text() for path in refused)
  assert 'the motor is hot' in text or 'reward is nan' in text


def test_a_slow_environment_stops_promptly(tmp_path: Path) -> None:
  changes = {
    **options(Path('untrained')),
    'task': TASK.replace('limit=10', 'limit=400').replace('1.2', '1e9'),
    'episode_steps': 400,
    'actor_steps': 1_600,
  }
  with harness.launched(tmp_path, **changes) as run:
    run.wait_for(lambda: run.node('environments'))
    time.sleep(2)
    started = time.monotonic()
    run.process.send_signal(signal.SIGTERM)
    assert run.wait() == 143, run.output
    assert time.monotonic() - started < 10


@pytest.mark.parametrize('launch_type', ['processes', 'threads'])
def test_what_no_second_try_mends_is_said_without_our_words(
  tmp_path: Path, launch_type: str
) -> None:
  changes = {
    **options(Path('untrained')),
    'task': TASK.replace('nan=0.01', 'nan=1'),
    'launch_type': launch_type,
  }
  with harness.launched(tmp_path, **changes) as run:
    assert run.wait() == 1, run.output
    said = ' '.join(run.output.split())
  assert 'Node conductor' in said
  assert 'refused to go on' in said
  assert 'max_refused_fraction allows 5' in said
  assert 'Error' not in said
  assert 'When that is mended, the same command goes on:' in said
  assert 'give the same command again' not in said


def test_what_a_run_cannot_act_in_is_refused_at_the_door(
  tmp_path: Path,
) -> None:
  with harness.launched(tmp_path, task=f'{TASK}&fault=unbounded') as run:
    assert run.wait() == 2
    assert 'Give --action-bound' in run.output


def test_a_file_alone_makes_nobodys_python_run(teacher: Path) -> None:
  result = subprocess.run(
    [sys.executable, '-m', 'launchers.evaluate', '--policy', str(teacher)],
    cwd=harness.ROOT, capture_output=True, text=True, timeout=300,
  )  # fmt: skip
  assert result.returncode == 2
  assert 'If you trust that: --task' in ' '.join(result.stderr.split())
