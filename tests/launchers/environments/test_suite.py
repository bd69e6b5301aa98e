"""Tasks: canonical, seeded, named."""

import numpy as np
import pytest

from launchers.environments.suite import TASKS, Environment, parse_task

# Section A.11 of the specification.
SIZES = {
  'cartpole-balance': (5, 1),
  'cartpole-swingup': (5, 1),
  'finger-spin': (9, 2),
  'cheetah-run': (17, 6),
  'walker-run': (24, 6),
  'pendulum-swingup': (3, 1),
}


def rollout(environment: Environment, seed: int) -> np.ndarray:
  size, width = environment.spec.action_size, environment.spec.observation_size
  observations = np.zeros((21, width), np.float32)
  environment.reset(seed, observations[0])
  actions = np.random.default_rng(0).uniform(-1, 1, (20, size))
  for step, action in enumerate(actions):
    reward, discount, last = environment.step(action, observations[step + 1])
    assert reward is not None
    assert 0 <= reward <= 1
    assert discount == 1
    assert not last
  return observations


@pytest.mark.parametrize('task', TASKS)
def test_episodes_depend_on_nothing_but_the_seed(task: str) -> None:
  environment = Environment(task)
  assert tuple(environment.spec) == SIZES[task]
  first = rollout(environment, 3)
  other = rollout(environment, 4)
  np.testing.assert_array_equal(rollout(environment, 3), first)
  np.testing.assert_array_equal(rollout(Environment(task), 3), first)
  assert np.isfinite(first).all()
  assert not np.array_equal(first, other)


def test_any_task_of_the_suite_goes_by_either_name() -> None:
  assert parse_task('reacher:easy') == parse_task('reacher-easy')
  assert Environment('reacher:easy').spec.action_size == 2


def test_actions_are_canonical() -> None:
  """Swimmer's are in [-1, 1] already; manipulator's observations are odd."""
  environment = Environment('manipulator:bring_ball')
  observation = np.zeros(environment.spec.observation_size, np.float32)
  environment.reset(0, observation)
  environment.step(np.ones(environment.spec.action_size), observation)
  assert np.isfinite(observation).all()


@pytest.mark.parametrize(
  ('task', 'message'),
  [
    ('cartpole', 'Known tasks of that domain: cartpole:balance'),
    ('cartpole-fly', 'Known tasks of that domain: cartpole:balance'),
    ('car:drive', 'Known domains: acrobot'),
  ],
)
def test_an_unknown_task_is_refused_with_the_known_ones(
  task: str, message: str
) -> None:
  with pytest.raises(ValueError, match=message):
    Environment(task)
