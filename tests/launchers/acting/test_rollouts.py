"""One episode of one fixed policy."""

from typing import Any

from dm_control.rl.control import PhysicsError
import numpy as np
import pytest

from datasets.types import EnvironmentSpec
from launchers.acting import rollouts
from launchers.acting.outcomes import Failure, Rollout, split
from launchers.environments.suite import Environment
from tests.launchers.harness import random_policy


def run(noise: float, seed: int, steps: int = 30) -> Rollout:
  (rollout,), _ = split(
    rollouts.run_episodes(
      [Environment('cartpole-swingup')],
      random_policy(1),
      steps,
      noise,
      [rollouts.seed_for(0, rollouts.ACT, 1, 0, seed)],
    )
  )
  return rollout


@pytest.mark.parametrize('noise', [0.0, 0.3])
def test_equal_seeds_give_equal_episodes(noise: float) -> None:
  for one, two in zip(run(noise, 5), run(noise, 5), strict=True):
    np.testing.assert_array_equal(one, two)
  assert not np.array_equal(run(noise, 5).observations, run(noise, 6)[0])


@pytest.mark.parametrize('beside', [1, 5, rollouts.LANES])
def test_an_episode_does_not_depend_on_its_neighbours(beside: int) -> None:
  """A resumed actor runs the episodes that are left in other company."""
  alone = run(0.3, 7)
  environments = [Environment('cartpole-swingup') for _ in range(beside)]
  seeds = [rollouts.seed_for(0, rollouts.ACT, 1, 0, n) for n in range(beside)]
  for position in range(beside):
    seeds[position] = rollouts.seed_for(0, rollouts.ACT, 1, 0, 7)
    (*acted,), _ = split(
      rollouts.run_episodes(environments, random_policy(1), 30, 0.3, seeds)
    )
    together = acted[position]
    for one, two in zip(alone, together, strict=True):
      np.testing.assert_array_equal(one, two)


def test_more_episodes_than_lanes_are_refused() -> None:
  seeds = [rollouts.seed_for(0, 1)] * 2
  with pytest.raises(ValueError, match='2 episodes cannot run side by side'):
    rollouts.run_episodes(
      [Environment('cartpole-swingup')], random_policy(1), 1, 0.0, seeds
    )


def test_evaluation_is_without_noise() -> None:
  """A-I11: the executed actions are the policy's own."""
  rollout = run(0.0, 1)
  np.testing.assert_array_equal(rollout.actions, rollout.proposed)
  policy = random_policy(1)
  for observation, action in zip(
    rollout.observations, rollout.actions, strict=False
  ):
    np.testing.assert_allclose(policy(observation), action, atol=1e-6)


def test_noise_is_gaussian_and_clipped() -> None:
  rollout = run(0.3, 1, steps=1_000)
  assert np.abs(rollout.actions).max() <= 1
  inner = np.abs(rollout.actions) < 1
  noise = (rollout.actions - rollout.proposed)[
    inner & (np.abs(rollout.proposed) < 0.1)
  ]
  assert len(noise) > 20
  assert 0.2 < noise.std() < 0.4


def test_shapes_and_types() -> None:
  rollout = run(0.3, 1, steps=7)
  shapes = [array.shape for array in rollout]
  assert shapes == [(8, 5), (7, 1), (7, 1), (7,), (7,)]
  assert {array.dtype for array in rollout} == {np.dtype(np.float32)}


class _Scripted(Environment):
  """An environment that ends, or breaks, at a given step."""

  spec = EnvironmentSpec(5, 1)

  def __init__(self, end: int, breaks: bool):
    self._left, self._breaks = end, breaks

  def reset(self, seed: int, observation: np.ndarray) -> None:
    del seed
    observation[:] = 0

  def step(self, action: Any, observation: np.ndarray) -> tuple:
    assert action.shape == (1,)
    observation[:] = self._left
    self._left -= 1
    if self._left == 0 and self._breaks:
      raise PhysicsError('the simulation is unstable')
    return 1.0, float(self._left > 0), self._left == 0


def test_a_termination_ends_the_episode() -> None:
  (rollout,), _ = split(
    rollouts.run_episodes(
      [_Scripted(3, False)],
      random_policy(0),
      10,
      0.0,
      [rollouts.seed_for(0, 1)],
    )
  )
  assert rollout.observations.shape == (4, 5)
  np.testing.assert_array_equal(rollout.discounts, [1, 1, 0])


def test_a_simulation_that_blows_up_is_not_silent() -> None:
  (result,) = rollouts.run_episodes(
    [_Scripted(3, True)], random_policy(0), 10, 0.0, [rollouts.seed_for(0, 1)]
  )
  assert isinstance(result, Failure)
  assert 'step 2 failed. PhysicsError: the simulation is un' in result.reason
