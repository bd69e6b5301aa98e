"""Training from files, as the command does it."""

import csv
import dataclasses
import io
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from agents import registry
from agents.deployed.policy import Policy
from datasets.store import EpisodeStore
from datasets.types import Annotation, Episode, EpisodeId
from launchers.environments.suite import Environment
from launchers.runs.offline_config import OfflineConfig
from tests.launchers.harness import ROOT, random_policy

STEPS = 30


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """Three episodes of noise in cartpole's widths, with labels."""
  directory = tmp_path_factory.mktemp('data')
  store = EpisodeStore(directory)
  random = np.random.default_rng(0)

  def noise(*shape: int) -> np.ndarray:
    return random.uniform(-1, 1, shape).astype(np.float32)

  for index in range(3):
    observations = noise(STEPS + 1, 5)
    labels = random_policy(7)(observations[:-1])
    episode = Episode(
      EpisodeId('log', 1, 0, index),
      'noise',
      observations,
      noise(STEPS, 1),
      noise(STEPS),
      np.ones(STEPS, np.float32),
      Annotation('teacher', '1', labels),
    )
    store.commit(episode)
  return directory


def small(words: tuple[str, ...]) -> list[str]:
  """Options that make the networks of the named agent small."""
  kind = words[words.index('--agent') + 1] if '--agent' in words else 'bc'
  if kind not in registry.KINDS:
    return []
  fields = dataclasses.fields(registry.find(kind).config)
  return [
    word
    for field in fields if field.name.endswith('_layer_sizes')
    for word in (f'--agent.{field.name.replace("_", "-")}', '8', '8')
  ]  # fmt: skip


def start(runs: Path, data: Path, *words: str) -> 'subprocess.Popen[str]':
  options = [
    '--runs', str(runs), '--learner-steps', '300',
    '--checkpoint-interval', '100', '--agent.batch-size', '8',
    *small(words), *words, '--data', str(data),
  ]  # fmt: skip
  return subprocess.Popen(
    [sys.executable, '-m', 'launchers.offline', *options],
    cwd=ROOT, env={**os.environ, 'PYTHONPATH': str(ROOT)},
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
  )  # fmt: skip


def run(runs: Path, data: Path, *words: str) -> dict:
  process = start(runs, data, *words)
  output, errors = process.communicate(timeout=120)
  assert process.returncode == 0, errors
  assert 'reading the data 3/3 episodes' in errors
  return json.loads(output.splitlines()[-1])


@pytest.mark.long
@pytest.mark.parametrize('agent', registry.KINDS)
def test_a_kill_changes_nothing(agent: str, tmp_path: Path, data: Path) -> None:
  words = ['--agent', agent]
  expected = run(tmp_path / 'calm', data, *words)
  assert expected['learner_steps'] == 300
  assert (expected['episodes'], expected['transitions']) == (3, 90)
  killed = start(tmp_path / 'killed', data, *words)
  root = tmp_path / 'killed' / f'offline-{agent}-0'
  deadline = time.monotonic() + 100
  while not (root / 'learner' / 'step_000000100').exists():
    assert killed.poll() is None, killed.communicate()
    assert time.monotonic() < deadline
    time.sleep(0.01)
  killed.kill()
  killed.communicate()
  again = run(tmp_path / 'killed', data, *words)
  assert again['digest'] == expected['digest']
  policy = Policy.from_bytes((root / 'policy.npz').read_bytes())
  assert policy.digest == expected['digest']


def test_evaluates_where_a_task_is_named(tmp_path: Path, data: Path) -> None:
  words = [
    '--task', 'cartpole-swingup', '--evaluation-interval', '200',
    '--evaluation-episodes', '2', '--episode-steps', '20',
  ]  # fmt: skip
  result = run(tmp_path, data, *words)
  text = (tmp_path / 'offline-bc-0' / 'evaluation.csv').read_text()
  rows = list(csv.DictReader(io.StringIO(text)))
  assert [row['step'] for row in rows] == ['200', '300']
  mean = float(rows[-1]['return_mean'])
  assert result['return_mean'] == pytest.approx(mean, rel=1e-5)


def test_priors_are_evaluated_and_written_beside_the_policy(
  tmp_path: Path, data: Path
) -> None:
  words = [
    '--agent', 'abm_mpo', '--task', 'cartpole-swingup', '--learner-steps', '3',
    '--evaluation-episodes', '2', '--episode-steps', '20',
  ]  # fmt: skip
  result = run(tmp_path, data, *words)
  root = tmp_path / 'offline-abm_mpo-0'
  (row,) = csv.DictReader(io.StringIO((root / 'evaluation.csv').read_text()))
  assert float(row['return_mean']) == pytest.approx(
    result['return_mean'], rel=1e-4
  )
  assert float(row['prior_return_mean']) >= 0
  prior = Policy.from_bytes((root / 'prior.npz').read_bytes())
  assert prior.form == 'gaussian'
  assert prior.digest != result['digest']


def test_a_phase_of_the_data(tmp_path: Path, data: Path) -> None:
  """It is what the run belongs to from then on."""
  words = ['--learner-steps', '1', '--first-episodes']
  process = start(tmp_path, data, *words, '2')
  output, errors = process.communicate(timeout=120)
  assert process.returncode == 0, errors
  result = json.loads(output.splitlines()[-1])
  assert (result['episodes'], result['transitions']) == (2, 60)
  root = tmp_path / 'offline-bc-0'
  assert json.loads((root / 'data.json').read_text())['episodes'] == 2
  assert json.loads((root / 'config.json').read_text())['first_episodes'] == 2
  for count, message in (
    ('1', 'first_episodes: 2 there, 1 here'),
    ('4', 'holds 3 episodes, and first_episodes asks for 4'),
  ):
    refused = start(tmp_path, data, *words, count)
    _, errors = refused.communicate(timeout=120)
    assert refused.returncode == 2
    assert message in ' '.join(errors.split())


def test_snippets_that_no_episode_fills_are_remarked(
  tmp_path: Path, data: Path
) -> None:
  words = ['--agent', 'bm', '--learner-steps', '1', '--agent.snippet-length']
  said = []
  for name, length in (('fits', '30'), ('longer', '31')):
    process = start(tmp_path / name, data, *words, length)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    said.append('learns from 30 transitions at most' in errors)
  assert said == [False, True]


@pytest.mark.long
def test_a_signal_saves_and_says_how_to_go_on(
  tmp_path: Path, data: Path
) -> None:
  words = ['--learner-steps', '1000000']
  process = start(tmp_path, data, *words)
  root = tmp_path / 'offline-bc-0'
  deadline = time.monotonic() + 100
  while not (root / 'learner').exists():
    assert process.poll() is None, process.communicate()
    assert time.monotonic() < deadline
    time.sleep(0.01)
  process.send_signal(signal.SIGINT)
  _, errors = process.communicate(timeout=60)
  assert process.returncode == 130
  assert 'give the same command again' in errors


def test_bad_input_is_refused(tmp_path: Path, data: Path) -> None:
  for words, message in (
    (['--agent', 'bx'], 'There are bc, d4pg, '),
    (['--learner-steps', '0'], '--learner-steps is 0; it must be at least 1.'),
    (['--task', 'cheetah-run'], 'widths (17, 6)'),
  ):
    process = start(tmp_path, data, *words)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert message in ' '.join(errors.split())
  missing = start(tmp_path, data / 'nowhere')
  _, errors = missing.communicate(timeout=120)
  assert missing.returncode == 2
  assert 'There is no such directory' in ' '.join(errors.split())
  assert not (data / 'nowhere').exists()


def test_a_directory_that_is_named_twice_is_refused(tmp_path: Path) -> None:
  with pytest.raises(ValueError, match='more than once'):
    OfflineConfig((tmp_path, tmp_path / '.'))


def test_the_policy_is_of_the_task_of_the_data(
  tmp_path: Path, data: Path
) -> None:
  """Or of the one that is named, where the data are older than that."""
  task = Environment('cartpole-swingup').task
  store = EpisodeStore(tmp_path / 'data')
  for episode in EpisodeStore(data):
    store.commit(episode._replace(task=task))
  words = ('--learner-steps', '1')
  named = ('--task', 'cartpole-swingup', '--episode-steps', '5')
  for where, some, of in (
    (store.directory, (), task), (data, named, task), (data, (), None)
  ):  # fmt: skip
    result = run(tmp_path / f'{len(some)}{of is None}', where, *words, *some)
    assert Policy.from_bytes(Path(result['policy']).read_bytes()).task == of
  refused = start(tmp_path, store.directory, '--task', 'cartpole-balance')
  _, errors = refused.communicate(timeout=120)
  assert refused.returncode == 2
  assert 'cartpole-swingup, not cartpole-balance' in ' '.join(errors.split())
