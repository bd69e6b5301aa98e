"""The small commands: online, demonstrate, evaluate."""

import json
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from agents.d4pg.config import D4PGConfig
from agents.deployed.policy import Snapshot
from datasets.store import EpisodeStore
from launchers import options
from launchers.environments.suite import Environment
from tests.launchers.harness import ROOT, write_teacher


def command(name: str, *words: str) -> 'subprocess.CompletedProcess[str]':
  return subprocess.run(
    [sys.executable, '-m', f'launchers.{name}', *words],
    cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
  )  # fmt: skip


def test_evaluate_prints_the_returns(tmp_path: Path) -> None:
  teacher = str(write_teacher(tmp_path / 'teacher.npz'))
  words = ('--policy', teacher, '--episodes', '2', '--episode_steps', '20')
  first, second = command('evaluate', *words), command('evaluate', *words)
  assert first.returncode == 0, first.stderr
  result = json.loads(first.stdout)
  assert result['episodes'] == 2
  assert result['task'] == 'cartpole-swingup'
  assert first.stdout == second.stdout


def test_evaluate_refuses_another_task(tmp_path: Path) -> None:
  teacher = str(write_teacher(tmp_path / 'teacher.npz'))
  refused = command('evaluate', '--policy', teacher, '--task', 'cheetah-run')
  assert refused.returncode == 2
  assert 'cheetah-run has (17, 6)' in ' '.join(refused.stderr.split())


def test_evaluate_refuses_another_task_of_equal_widths() -> None:
  words = ('--policy', 'cartpole-balance/expert', '--task', 'cartpole-swingup')
  refused = command('evaluate', *words)
  assert refused.returncode == 2
  assert 'name: cartpole-balance, not cartpole-swingup' in refused.stderr


def test_demonstrate_records_what_is_missing(tmp_path: Path) -> None:
  teacher = str(write_teacher(tmp_path / 'teacher.npz'))
  words = (
    '--teacher', teacher, '--directory', str(tmp_path / 'demos'),
    '--episodes', '4', '--episode_steps', '20', '--noise', '0.2',
    '--processes', '2',
  )  # fmt: skip
  assert command('demonstrate', *words).returncode == 0
  store = EpisodeStore(tmp_path / 'demos')
  digests = store.digests()
  assert [identity.episode for identity in digests] == [0, 1, 2, 3]
  paths = sorted((tmp_path / 'demos').glob('*.npz'))
  paths[1].unlink()
  paths[2].write_bytes(b'torn')
  again = command('demonstrate', *words)
  assert again.returncode == 0
  assert paths[2].name in again.stderr.replace('\n', '')
  assert EpisodeStore(tmp_path / 'demos').digests() == digests
  for episode in store:
    assert episode.task == Environment('cartpole-swingup').task
    assert episode.annotation is not None
    assert not np.array_equal(episode.annotation.actions, episode.actions)


def test_no_words_name_the_default_agent() -> None:
  assert options.agent_of([], D4PGConfig(n_step=2)) == D4PGConfig(n_step=2)


def test_an_agent_is_of_one_kind() -> None:
  words = options.with_kind(['--agent', 'mpo', '--agent.kind=mpo'])
  assert options.agent_of(words, D4PGConfig()).kind == 'mpo'
  with pytest.raises(ValueError, match=r'--agent is mpo and svg; .* name one'):
    options.agent_of([*words, '--agent.kind', 'svg'], D4PGConfig())


@pytest.mark.parametrize('name', ['growing_batch', 'offline', 'recipe'])
def test_agent_is_short_for_its_kind(name: str) -> None:
  helped = command(name, '--agent', 'bm_mpo', '--help')
  assert helped.returncode == 0, helped.stderr
  assert '--agent.kind {bm_mpo}' in helped.stdout


def test_step_counts_of_no_cycle_are_remarked(tmp_path: Path) -> None:
  file = tmp_path / 'file'
  file.touch()
  said = [
    command('growing_batch', '--runs', str(file), *words).stderr
    for words in ((), ('--cycles', '0', '--learner-steps', '9'))
  ]
  assert [text.count('cycles that may be appended') for text in said] == [0, 1]


ONLINE = (
  '--episodes', '6', '--episode_steps', '60', '--updates_per_episode', '20',
  '--evaluation_interval', '2', '--evaluation_episodes', '2',
  '--random_episodes', '1', '--agent.policy_layer_sizes', '8', '8',
  '--agent.critic_layer_sizes', '8', '8', '--agent.batch_size', '16',
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize('agent', ['d4pg', 'ddpg', 'mpo'])
def test_online_resumes_where_it_was_killed(tmp_path: Path, agent: str) -> None:
  words = (*ONLINE, '--agent', agent, '--uniform_start', '--runs')
  calm = command('online', *words, str(tmp_path / 'calm'))
  assert calm.returncode == 0, calm.stderr
  process = subprocess.Popen(
    [
      sys.executable,
      '-m',
      'launchers.online',
      *words,
      str(tmp_path / 'killed'),
    ],
    cwd=ROOT,
  )
  run = tmp_path / 'killed/online-cartpole-swingup-0'
  deadline = time.monotonic() + 60
  while not (run / 'snapshots/episode_00002.npz').exists():
    assert time.monotonic() < deadline
    time.sleep(0.01)
  process.send_signal(signal.SIGKILL)
  process.wait()
  resumed = command('online', *words, str(tmp_path / 'killed'))
  assert resumed.returncode == 0, resumed.stderr
  name = 'online-cartpole-swingup-0/snapshots/episode_00006.npz'
  snapshots = [
    Snapshot.from_bytes((tmp_path / where / name).read_bytes())
    for where in ('calm', 'killed')
  ]
  assert snapshots[0].policy.digest == snapshots[1].policy.digest
  for key, array in snapshots[0].critic.items():
    np.testing.assert_array_equal(array, snapshots[1].critic[key])
  assert snapshots[0].metadata['learner_steps'] == 120
  task = Environment('cartpole-swingup').task
  assert snapshots[0].policy.task == task
  store = EpisodeStore(run / 'episodes')
  assert {episode.task for episode in store} == {task}
  calmly = EpisodeStore(tmp_path / 'calm' / run.name / 'episodes')
  assert store.digests() == calmly.digests()


@pytest.mark.long
def test_online_saves_at_a_stop_and_goes_on(tmp_path: Path) -> None:
  words = (*ONLINE, '--evaluation_interval', '1000', '--runs')
  calm = command('online', *words, str(tmp_path / 'calm'))
  process = subprocess.Popen(
    [sys.executable, '-m', 'launchers.online', *words, str(tmp_path / 'here')],
    cwd=ROOT, stderr=subprocess.PIPE, text=True,
  )  # fmt: skip
  run = tmp_path / 'here/online-cartpole-swingup-0'
  deadline = time.monotonic() + 60
  while len(list((run / 'episodes').glob('*-000002.npz'))) < 1:
    assert time.monotonic() < deadline
    time.sleep(0.01)
  process.send_signal(signal.SIGINT)
  _, said = process.communicate(timeout=30)
  assert process.returncode == 128 + signal.SIGINT
  assert 'To go on, give the same command again' in said
  assert 'Traceback' not in said
  saved = [path.name for path in (run / 'learner').glob('step_*')]
  assert max(saved) >= 'step_000000060'
  again = command('online', *words, str(tmp_path / 'here'))
  assert again.returncode == 0, again.stderr
  results = [json.loads(done.stdout) for done in (calm, again)]
  assert results[0]['return_mean'] == results[1]['return_mean']


@pytest.mark.long
def test_online_goes_on_without_a_torn_episode(tmp_path: Path) -> None:
  words = (*ONLINE, '--runs', str(tmp_path), '--name', 'run')
  assert command('online', *words).returncode == 0
  (torn,) = (tmp_path / 'run/episodes').glob('*-000001.npz')
  torn.write_bytes(torn.read_bytes()[:-9])
  shutil.rmtree(tmp_path / 'run/learner/step_000000120')
  again = command('online', *words)
  assert again.returncode == 0, again.stderr
  said = again.stderr.replace('\n', '')
  assert torn.name in said
  assert 'holds 3 of the 4 episodes' in said


def test_online_checks_what_it_finds_and_acts_again_what_it_forgot(
  tmp_path: Path,
) -> None:
  """An episode after the last checkpoint may be of another version's making."""
  words = (*ONLINE, '--runs', str(tmp_path), '--name', 'run')
  assert command('online', *words).returncode == 0
  store = EpisodeStore(tmp_path / 'run/episodes')
  episodes = list(store)
  shutil.rmtree(tmp_path / 'run/learner/step_000000120')
  last = episodes[-1]
  store.discard(last.identity)
  store.commit(last._replace(rewards=last.rewards + 1))
  store.commit(last._replace(identity=last.identity._replace(run='other')))
  again = command('online', *words)
  assert again.returncode == 0, again.stderr
  assert 'other-000' in again.stderr.replace('\n', '')
  np.testing.assert_array_equal(store.read(last.identity).rewards, last.rewards)
