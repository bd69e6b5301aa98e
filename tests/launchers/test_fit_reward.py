"""Reward models fitted to episodes and to a person's scores."""

import json
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from rich.console import Console

from datasets.store import EpisodeStore, file_name
from datasets.types import Episode, EpisodeId
from launchers.fit_reward import FitRewardConfig, fit_reward
from teachers import registry
from teachers.base import Task
from teachers.reward_model import FittingConfig
from tests.launchers.test_commands import command

TASK = Task('point-reach', 3, 2)
EPISODES, STEPS = 10, 100
QUICK = FittingConfig(layer_sizes=(32, 32), steps=600, learning_rate=5e-3)


def optimum(observations: np.ndarray) -> np.ndarray:
  return np.tanh(observations[:, :2])


def episode(index: int) -> Episode:
  """Random states and actions; the reward falls with their distance."""
  random = np.random.default_rng(index)
  observations = random.normal(size=(STEPS + 1, 3)).astype(np.float32)
  actions = random.uniform(-1, 1, (STEPS, 2)).astype(np.float32)
  squares = np.square(actions - optimum(observations[:-1])).sum(axis=1)
  return Episode(
    EpisodeId('run', 1, 0, index),
    'policy',
    observations,
    actions,
    (1 - squares).astype(np.float32),
    np.ones(STEPS, np.float32),
  )


@pytest.fixture
def data(tmp_path: Path) -> Path:
  store = EpisodeStore(tmp_path / 'episodes')
  for index in range(EPISODES):
    store.commit(episode(index))
  return store.directory


@pytest.fixture
def console(tmp_path: Path):
  with (tmp_path / 'screen').open('w', encoding='utf-8') as file:
    yield Console(file=file)


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'output': '.'}, r'is a directory; name the file.*model\.npz'),
    (
      {'horizon': STEPS + 1},
      'horizon is 101, but the longest',
    ),
  ],
)
def test_what_no_fit_can_honour_is_refused_before_it(
  data: Path, tmp_path: Path, console: Console, changes: dict, message: str
) -> None:
  output = tmp_path / changes.pop('output', 'model.npz')
  config = FitRewardConfig(data, output, fitting=QUICK, **changes)
  with (
    mock.patch('launchers.fit_reward._fit', side_effect=AssertionError),
    pytest.raises((OSError, ValueError), match=message),
  ):
    fit_reward(config, console)


def cosine(output: Path, sign: float) -> float:
  """Between the advice and the way to the optimum, or from it; the mean."""
  address = f'teachers.reward_model:make?path={output}'
  teacher = registry.load(address, TASK)
  other = episode(99)
  states, actions = other.observations[:-1], other.actions
  advice = teacher.action_gradients(states, actions)
  wanted = sign * (optimum(states) - actions)
  lengths = np.linalg.norm(advice, axis=1) * np.linalg.norm(wanted, axis=1)
  return float(np.mean(np.sum(advice * wanted, axis=1) / lengths))


def test_the_command_makes_a_teacher_from_rewards(data, tmp_path):
  output = tmp_path / 'models' / 'model.npz'
  run = command(
    'fit_reward', str(data), '--output', str(output),
    '--fitting.layer-sizes', '32', '32', '--fitting.steps', '600',
    '--fitting.learning-rate', '5e-3',
  )  # fmt: skip
  assert run.returncode == 0, run.stderr
  result = json.loads(run.stdout)
  assert result['episodes'] == EPISODES
  assert (result['examples'], result['held_out']) == (9 * STEPS, STEPS)
  assert result['explained'] > 0.7
  assert cosine(output, 1) > 0.8


def test_scores_count_instead_of_the_rewards(data, tmp_path, console):
  """A person who wants the opposite of what was rewarded."""
  store, scores = EpisodeStore(data), tmp_path / 'scores.csv'
  lines = ['step,episode,score']
  for scored in store:
    name = file_name(scored.identity)
    for step in range(STEPS):
      lines.append(f'{step},{name},{-5 * scored.rewards[step]}')
  scores.write_text('\n'.join(lines), encoding='utf-8')
  output = tmp_path / 'model.npz'
  config = FitRewardConfig(data, output, scores=scores, fitting=QUICK)
  result = fit_reward(config, console)
  assert result['explained'] > 0.7
  assert cosine(output, -1) > 0.8


def test_only_what_is_scored_is_learned_from(data, tmp_path, console):
  names = [file_name(e.identity) for e in EpisodeStore(data)]
  scores = tmp_path / 'scores.csv'
  rows = [f'{names[1]},0,1', f'{names[1]},99,2', f'{names[4]},7,3']
  scores.write_text('\n'.join(['episode,step,score', *rows]), encoding='utf-8')
  fitting = FittingConfig(layer_sizes=(4, 4), steps=1)
  config = FitRewardConfig(data, tmp_path / 'm.npz', scores, fitting=fitting)
  result = fit_reward(config, console)
  assert result['episodes'] == 2
  assert result['examples'] + result['held_out'] == 3


@pytest.mark.parametrize(
  ('row', 'complaint'),
  [
    ('NAME,0', 'line 3: it has 2 values; the 3 columns'),
    ('other.npz,0,1', "line 3: .* holds no episode 'other.npz'"),
    ('NAME,100,1', 'line 3: step is 100; it must be finite and from 0 to 99'),
    ('NAME,-1,1', 'line 3: step is -1'),
    ('NAME,0.5,1', 'line 3: step is 0.5; it must be a whole number'),
    ('NAME,0,good', "line 3: score is 'good', which is no number"),
    ('NAME,0,1e30', 'line 3: score is 1e30'),
    ('NAME,1,1', 'examples in 1 episodes; it takes at least 2'),
  ],
)
def test_refuses_malformed_scores(data, tmp_path, console, row, complaint):
  name = file_name(EpisodeId('run', 1, 0, 0))
  rows = ['episode,step,score', f'{name},0,1', row.replace('NAME', name)]
  scores = tmp_path / 'scores.csv'
  scores.write_text('\n'.join(rows), encoding='utf-8')
  config = FitRewardConfig(data, tmp_path / 'model.npz', scores)
  with pytest.raises(ValueError, match=complaint):
    fit_reward(config, console)
  assert not config.output.exists()


def test_the_horizon_averages_what_comes_later(data, tmp_path, console):
  """Of unrelated steps nothing but the first can be foreseen: 1/25 of it."""
  explained = [
    fit_reward(
      FitRewardConfig(
        data, tmp_path / 'model.npz', horizon=horizon, fitting=QUICK
      ),
      console,
    )['explained']
    for horizon in (1, 25)
  ]
  assert explained[0] > 0.7
  assert explained[1] < 0.3


def test_a_constant_reward_leaves_nothing_to_explain(tmp_path, console):
  store = EpisodeStore(tmp_path / 'constant')
  for index in range(3):
    ones = np.ones(STEPS, np.float32)
    store.commit(episode(index)._replace(rewards=ones))
  fitting = FittingConfig(layer_sizes=(4, 4), steps=200)
  config = FitRewardConfig(
    store.directory, tmp_path / 'model.npz', fitting=fitting
  )
  result = fit_reward(config, console)
  assert result['explained'] is None
  assert result['held_out_error'] < 0.3


@pytest.mark.parametrize(
  ('words', 'complaint'),
  [
    (('--horizon', '0'), 'horizon is 0; it must be at least 1'),
    (('--horizon', '2', '--scores', 'x.csv'), 'it must be 1 for scores'),
    (('--scores', 'x.csv'), 'x.csv'),
    (('--fitting.steps', '0'), 'steps is 0; it must be at least 1'),
  ],
)
def test_refuses_on_one_line(data, tmp_path, words, complaint):
  output = str(tmp_path / 'model.npz')
  run = command('fit_reward', str(data), '--output', output, *words)
  assert run.returncode == 2
  assert complaint in ' '.join(run.stderr.split())
  assert 'Traceback' not in run.stderr


def test_a_model_is_of_the_task_of_its_episodes(tmp_path, console):
  store = EpisodeStore(tmp_path / 'episodes')
  for index in range(2):
    store.commit(episode(index)._replace(task=TASK))
  output = tmp_path / 'model.npz'
  quick = FittingConfig(layer_sizes=(4,), steps=2, evaluation_interval=1)
  config = FitRewardConfig(store.directory, output, fitting=quick)
  fit_reward(config, console)
  address = f'teachers.reward_model:make?path={output}'
  assert registry.load(address, TASK).task == TASK
  with pytest.raises(ValueError, match='name: point-reach, not point-flee'):
    registry.load(address, Task('point-flee', 3, 2))
  store.commit(episode(2)._replace(task=Task('point-flee', 3, 2)))
  with pytest.raises(ValueError, match='name: point-flee, not point-reach'):
    fit_reward(config, console)
