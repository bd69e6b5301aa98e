"""Teachers that are networks fitted to rewards."""

import functools
from pathlib import Path

import numpy as np
import pytest

from agents.deployed import npz
from teachers import registry, reward_fitting, reward_model
from teachers.base import Task
from teachers.reward_model import Examples, FittingConfig
from tests.teachers.contract import TeacherContract

TASK = Task('point-reach', 3, 2)
CONFIG = FittingConfig(layer_sizes=(32, 32), steps=1500, learning_rate=3e-3)


def optimum(observations: np.ndarray) -> np.ndarray:
  """The best actions [B, 2]."""
  return np.tanh(observations[:, :2] - observations[:, 2:] / 2)


def quadratic(seed: int, count: int) -> Examples:
  """Rewards that fall with the squared distance from the optimum."""
  random = np.random.default_rng(seed)
  observations = random.normal(size=(count, 3)).astype(np.float32)
  actions = random.uniform(-1, 1, (count, 2)).astype(np.float32)
  distance = np.square(actions - optimum(observations)).sum(axis=1)
  return Examples(observations, actions, (50 - 10 * distance))


@functools.lru_cache
def fitted() -> tuple[reward_model.RewardModel, tuple[tuple[int, float], ...]]:
  """A model of the quadratic reward, and the errors while it was fitted."""
  errors = []
  arrays = reward_fitting.fit(
    CONFIG,
    quadratic(0, 4000),
    quadratic(1, 500),
    lambda step, error: errors.append((step, error)),
  )
  model = reward_model.RewardModel('fitted', arrays, {'action_size': 2})
  return model, tuple(errors)


class TestRewardModel(TeacherContract):
  @pytest.fixture(autouse=True)
  def _written(self, tmp_path):
    self._path = tmp_path / 'model.npz'
    self._path.write_bytes(fitted()[0].to_bytes())

  def make_teacher(self):
    address = f'teachers.reward_model:make?path={self._path}'
    return registry.load(address, TASK)

  def test_gives_gradients_alone(self, teacher):
    assert teacher.gives == {'action_gradients'}

  def test_predicts_rewards_as_they_are(self, teacher):
    """That is, without the scales of the fit."""
    others = quadratic(2, 500)
    predicted = teacher.rewards(others.observations, others.actions)
    error = np.sqrt(np.mean(np.square(predicted - others.rewards)))
    assert error < 0.1 * others.rewards.std()

  def test_points_at_the_optimum(self, teacher):
    others = quadratic(3, 500)
    advice = teacher.action_gradients(others.observations, others.actions)
    wanted = optimum(others.observations) - others.actions
    lengths = np.linalg.norm(advice, axis=1) * np.linalg.norm(wanted, axis=1)
    cosines = np.sum(advice * wanted, axis=1) / lengths
    assert np.mean(cosines) > 0.95
    assert np.quantile(cosines, 0.1) > 0.9

  def test_the_gradient_is_that_of_the_rewards(self, teacher):
    others = quadratic(4, 20)
    advice = teacher.action_gradients(others.observations, others.actions)
    for i in range(2):
      step = np.zeros((1, 2), np.float32)
      step[0, i] = 1e-2
      above, below = (
        teacher.rewards(others.observations, others.actions + d)
        for d in (step, -step)
      )
      difference = (above - below) / 2e-2
      np.testing.assert_allclose(advice[:, i], difference, 2e-2, 0.1)


def test_the_error_that_is_shown_is_the_held_out_one():
  model, errors = fitted()
  assert [step for step, _ in errors] == list(range(250, 1501, 250))
  held_out = quadratic(1, 500)
  predicted = model.rewards(held_out.observations, held_out.actions)
  error = np.sqrt(np.mean(np.square(predicted - held_out.rewards)))
  assert error == pytest.approx(min(e for _, e in errors), rel=1e-3)


def test_features_of_any_scale_are_fitted():
  """And one that never varies."""
  shift, scale = np.array([1e3, 0, 7]), np.array([100, 1e-3, 0])

  def scaled(seed, count):
    plain = quadratic(seed, count)
    observations = (plain.observations * scale + shift).astype(np.float32)
    rewards = -np.square(
      plain.actions[:, 0] - np.tanh(plain.observations[:, 0])
    )
    return Examples(observations, plain.actions, rewards)

  arrays = reward_fitting.fit(
    CONFIG, scaled(0, 4000), scaled(1, 500), lambda *_: None
  )
  model = reward_model.RewardModel('scaled', arrays, {'action_size': 2})
  others = scaled(2, 500)
  predicted = model.rewards(others.observations, others.actions)
  error = np.sqrt(np.mean(np.square(predicted - others.rewards)))
  assert error < 0.15 * others.rewards.std()


def test_a_fit_repeats_itself():
  config = FittingConfig(layer_sizes=(8, 8), steps=20, evaluation_interval=10)
  versions = set()
  for seed in (0, 0, 1):
    arrays = reward_fitting.fit(
      FittingConfig(**{**vars(config), 'seed': seed}),
      quadratic(0, 100),
      quadratic(1, 10),
      lambda *_: None,
    )
    model = reward_model.RewardModel('x', arrays, {'action_size': 2})
    versions.add(model.version)
  assert len(versions) == 2


def test_refuses_to_fit_nothing():
  with pytest.raises(ValueError, match='4 examples and 0 held-out'):
    reward_fitting.fit(CONFIG, quadratic(0, 4), quadratic(0, 0), print)


@pytest.mark.parametrize(
  ('field', 'value'),
  [
    ('steps', 0),
    ('batch_size', 0),
    ('learning_rate', 0.0),
    ('learning_rate', float('nan')),
    ('layer_sizes', ()),
  ],
)
def test_refuses_options_that_no_fit_could_honour(field, value):
  with pytest.raises(ValueError, match=f'{field} is'):
    FittingConfig(**{field: value})


def test_refuses_files_that_are_no_reward_models(tmp_path: Path):
  path = tmp_path / 'model.npz'
  with pytest.raises(FileNotFoundError, match=r'launchers\.fit_reward'):
    reward_model.make(TASK, str(path))
  arrays = {'x': np.zeros(3, np.float32)}
  for data in (b'', npz.pack(arrays, {'action_size': 2}, 'another-kind')):
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r'model\.npz is no reward model'):
      reward_model.make(TASK, str(path))
  for size in (None, 'two', 5):
    with pytest.raises(ValueError, match='action'):
      reward_model.RewardModel('x', fitted_arrays(), {'action_size': size})


def fitted_arrays():
  data = fitted()[0].to_bytes()
  return npz.unpack(data, 'understudy-reward-model-1')[0]


def test_refuses_a_model_of_another_task(tmp_path: Path):
  path = tmp_path / 'model.npz'
  path.write_bytes(fitted()[0].to_bytes())
  address = f'teachers.reward_model:make?path={path}'
  with pytest.raises(ValueError, match='Choose a teacher of this task'):
    registry.load(address, Task('cartpole-swingup', 4, 1))
