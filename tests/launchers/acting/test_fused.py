"""Fused episodes: what dm_control gives, bit for bit, however many at once."""

from typing import Union

from dm_control import suite
import numpy as np
import pytest

from agents.deployed.policy import Policy
from launchers.acting import rollouts
from launchers.acting.kernels import KERNELS
from launchers.acting.lanes import FusedLanes, SeparateLanes, make_lanes
from launchers.acting.outcomes import Failure, Rollout, split
from launchers.environments.suite import TASKS, Environment, parse_task
from teachers import untrained

STEPS = 250


class _Unfused(Environment):
  """Goes the general way, since it might step in a way of its own."""


def policy_for(task: str, seed: int) -> Policy:
  return untrained.make(*Environment(task).spec, seed, (64, 64))


def seeds(count: int) -> list[np.random.SeedSequence]:
  return [rollouts.seed_for(0, rollouts.EVALUATE, n) for n in range(count)]


def dm_control_episode(
  task: str, behaviour: rollouts.Behaviour, seed: np.random.SeedSequence
) -> tuple[np.ndarray, np.ndarray]:
  """Observations and rewards of dm_control, and nothing else of ours."""
  environment = suite.load(*parse_task(task), task_kwargs={'random': 0})
  number = np.random.Generator(np.random.PCG64(seed)).integers(2**32)
  environment.task.random.seed(int(number))
  timestep = environment.reset()
  observations, rewards = [], []
  rows = np.zeros((rollouts.LANES, *Environment(task).spec[:1]), np.float32)
  for _ in range(STEPS):
    rows[0] = np.concatenate(
      [np.ravel(part) for part in timestep.observation.values()]
    )
    observations.append(rows[0].copy())
    timestep = environment.step(behaviour(rows)[0])
    rewards.append(timestep.reward)
  return np.stack(observations), np.array(rewards, np.float32)


def test_every_task_of_the_study_has_a_kernel() -> None:
  assert set(KERNELS) == set(TASKS)
  for task in TASKS:
    assert isinstance(make_lanes([Environment(task)], 1), FusedLanes)
  for other in (Environment('reacher:easy'), _Unfused('cheetah-run')):
    assert isinstance(make_lanes([other], 1), SeparateLanes)


@pytest.mark.parametrize('task', TASKS)
def test_a_policys_episode_is_dm_controls(task: str) -> None:
  policy = policy_for(task, 0)
  environments = [Environment(task) for _ in range(3)]
  acted, _ = split(
    rollouts.run_episodes(environments, policy, STEPS, 0.0, seeds(3))
  )
  for rollout, seed in zip(acted, seeds(3), strict=True):
    observations, rewards = dm_control_episode(task, policy, seed)
    np.testing.assert_array_equal(rollout.observations[:-1], observations)
    np.testing.assert_array_equal(rollout.rewards, rewards)
    assert (rollout.discounts == 1).all()


@pytest.mark.parametrize('task', TASKS)
def test_wild_actions_give_the_same_both_ways(task: str) -> None:
  """Full noise goes where an untrained policy does not: contacts, limits."""
  policy = policy_for(task, 1)
  both = [
    split(
      rollouts.run_episodes(
        [kind(task) for _ in range(2)], policy, STEPS, 1.0, seeds(2)
      )
    )[0]
    for kind in (Environment, _Unfused)
  ]
  for fused, separate in zip(*both, strict=True):
    for one, two in zip(fused, separate, strict=True):
      np.testing.assert_array_equal(one, two)
      assert one.dtype == two.dtype


@pytest.mark.parametrize('environments', [1, 3, 11, 32])
def test_evaluations_do_not_depend_on_their_neighbours(
  environments: int,
) -> None:
  task = 'cartpole-swingup'
  alone = [Environment(task)]
  several = [Environment(task) for _ in range(environments)]
  policy, other = policy_for(task, 0), policy_for(task, 1)
  evaluations: list[rollouts.Block] = [
    (policy, seeds(1)),
    (other, seeds(10)),
    (policy, []),
    (lambda rows: np.tanh(rows[:, :1]), seeds(2)),
  ]
  for some in (evaluations[:2], evaluations):  # Stacked, and one by one.
    returns = rollouts.evaluate_all(several, some, 40)
    assert list(map(len, returns)) == [len(s) for _, s in some]
    for got, (behaviour, own) in zip(returns, some, strict=True):
      assert got == rollouts.evaluate(alone, behaviour, 40, own)


def blown_up(
  environments: list[Environment],
) -> list[Union[Rollout, Failure]]:
  """Three episodes of 9 steps, of which the second breaks in its fifth."""
  steps = 0

  def behaviour(rows: np.ndarray) -> np.ndarray:
    nonlocal steps
    steps += 1
    if steps == 5:
      environments[1].wrapped.physics.data.qpos[2] = np.nan
    return np.zeros((len(rows), 6), np.float32)

  return rollouts.run_episodes(environments, behaviour, 9, 0.0, seeds(3))


def test_a_fused_simulation_that_blows_up_ends_alone() -> None:
  """MuJoCo only counts its warnings; dm_control refuses them, and so do we."""
  environments = [Environment('cheetah-run') for _ in range(3)]
  fused = blown_up(environments)
  separate = blown_up([_Unfused('cheetah-run') for _ in range(3)])
  whys = [r.reason if isinstance(r, Failure) else len(r.rewards) for r in fused]
  assert whys == [9, 'Its step 4 failed. PhysicsError: mjWARN_BADQPOS', 9]
  assert isinstance(separate[1], Failure)
  assert 'step 4 failed. PhysicsError' in separate[1].reason
  for one, two in zip(split(fused)[0], split(separate)[0], strict=True):
    for mine, theirs in zip(one, two, strict=True):
      np.testing.assert_array_equal(mine, theirs)
  (again,), _ = split(
    rollouts.run_episodes(
      environments[1:2], policy_for('cheetah-run', 0), 9, 0.0, seeds(1)
    )
  )
  assert np.isfinite(again.rewards).all()
