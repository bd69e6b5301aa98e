"""What acts with noise: around an action, or by a policy's own distribution."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from agents.deployed import forms
from agents.deployed.policy import Policy, Snapshot
from launchers import describe, evaluate
from launchers.acting import rollouts
from launchers.acting.behaviours import behaviour_of
from launchers.acting.outcomes import Rollout, split
from launchers.environments.suite import Environment
from teachers.snapshot import SnapshotTeacher
from tests.agents.deployed import made

STEPS = 60


class _Unfused(Environment):
  """Goes the general way, since it might step in a way of its own."""


def policy_for(form: str, task: str = 'cartpole-swingup', **kwargs) -> Policy:
  return made.make(form, *Environment(task).spec, **kwargs)


def seeds(count: int) -> list[np.random.SeedSequence]:
  return [rollouts.seed_for(0, rollouts.ACT, n) for n in range(count)]


def run(
  policy: rollouts.Behaviour,
  noise: float,
  count: int = 1,
  kind: type[Environment] = Environment,
  task: str = 'cartpole-swingup',
  steps: int = STEPS,
) -> list[Rollout]:
  places = [kind(task) for _ in range(count)]
  acted, failures = split(
    rollouts.run_episodes(places, policy, steps, noise, seeds(count))
  )
  assert not failures
  return acted


def assert_equal(ones: list[Rollout], twos: list[Rollout]) -> None:
  for one, two in zip(ones, twos, strict=True):
    for mine, theirs in zip(one, two, strict=True):
      np.testing.assert_array_equal(mine, theirs)


def normals(steps: int, size: int) -> np.ndarray:
  """What the first episode draws."""
  random = np.random.Generator(np.random.PCG64(seeds(1)[0]))
  random.integers(2**32)
  return random.standard_normal((steps, size), np.float32)


@pytest.mark.parametrize('task', ['cartpole-swingup', 'cheetah-run'])
def test_a_gaussian_draws_from_its_own_distribution(task: str) -> None:
  policy = policy_for('gaussian', task)
  (rollout,) = run(policy, 0.3, task=task)
  actor = forms.find('gaussian')([policy.arrays], rollouts.LANES)
  rows = np.zeros((1, rollouts.LANES, policy.spec.observation_size), 'f')
  xi = normals(STEPS, policy.spec.action_size)
  for step, observation in enumerate(rollout.observations[:-1]):
    rows[0, 0] = observation
    proposed = actor(rows)[0, 0]
    mean, deviation = (x[0, 0] for x in actor.distribution())
    np.testing.assert_array_equal(rollout.proposed[step], proposed)
    np.testing.assert_array_equal(np.clip(mean, -1, 1), proposed)
    executed = np.clip(xi[step] * deviation + mean, -1, 1)
    np.testing.assert_array_equal(rollout.actions[step], executed)


def test_the_noise_says_only_whether_it_draws() -> None:
  policy = policy_for('gaussian')
  assert_equal(run(policy, 0.01), run(policy, 3.0))
  (without,) = run(policy, 0.0)
  np.testing.assert_array_equal(without.actions, without.proposed)
  np.testing.assert_allclose(
    policy(without.observations[:-1]), without.actions, atol=1e-6
  )
  assert not np.array_equal(run(policy, 0.01)[0].actions, without.actions)


def test_draws_have_the_mean_and_the_deviation() -> None:
  """Where nothing is clipped, which a small head makes sure of."""
  arrays = dict(policy_for('gaussian').arrays)
  arrays['2/w'] = np.zeros_like(arrays['2/w'])
  arrays['2/b'] = np.array([0.1, -3.0], np.float32)
  policy = Policy(arrays, form='gaussian')
  (rollout,) = run(policy, 1.0, steps=1_000)
  expected = np.sqrt(made.MIN_VARIANCE + np.log1p(np.exp(-3.0)) ** 2)
  assert abs(rollout.actions.mean() - 0.1) < 4 * expected / np.sqrt(1_000)
  assert rollout.actions.std() == pytest.approx(expected, rel=0.1)
  np.testing.assert_allclose(rollout.proposed, 0.1, rtol=1e-6)


@pytest.mark.parametrize('form', made.FORMS[2:])
def test_the_noise_is_added_to_what_has_no_distribution(form: str) -> None:
  (rollout,) = run(policy_for(form), 0.3)
  noise = np.float32(0.3) * normals(STEPS, 1)
  np.testing.assert_array_equal(
    np.clip(noise + rollout.proposed, -1, 1), rollout.actions
  )


@pytest.mark.parametrize('form', made.FORMS)
@pytest.mark.parametrize('task', ['cartpole-swingup', 'cheetah-run'])
def test_fused_and_separate_lanes_act_alike(form: str, task: str) -> None:
  policy = policy_for(form, task)
  for noise in (0.0, 0.5):
    fused = run(policy, noise, 3, task=task)
    assert_equal(fused, run(policy, noise, 3, kind=_Unfused, task=task))
    assert_equal(fused, run(policy, noise, 3, task=task))


@pytest.mark.parametrize('form', made.FORMS)
@pytest.mark.parametrize('candidates', [7, 10])
def test_an_episode_does_not_depend_on_its_neighbours(
  form: str, candidates: int
) -> None:
  policy = policy_for(form, hidden=(64, 64), candidates=candidates)
  together = run(policy, 0.5, rollouts.LANES)
  for index in (0, 3, 7):
    (alone,), _ = split(
      rollouts.run_episodes(
        [Environment('cartpole-swingup')],
        policy,
        STEPS,
        0.5,
        seeds(rollouts.LANES)[index : index + 1],
      )
    )
    assert_equal([alone], [together[index]])


def test_policies_of_all_forms_and_shapes_are_evaluated_side_by_side() -> None:
  policies = [policy_for(form) for form in made.FORMS]
  policies += [policy_for(form, hidden=(8,)) for form in made.FORMS]
  policies += [policy_for('gaussian', seed=1)]
  places = [Environment('cartpole-swingup') for _ in range(32)]
  for some in (policies, [policies[1], policies[-1]]):
    evaluations = [(policy, seeds(2)) for policy in some]
    returns = rollouts.evaluate_all(places, evaluations, 20)
    for policy, got in zip(some, returns, strict=True):
      assert got == rollouts.evaluate(places[:2], policy, 20, seeds(2))


def test_a_policy_of_another_width_is_refused() -> None:
  with pytest.raises(ValueError, match='this policy takes'):
    run(made.make('gaussian', 4, 1), 0.0)


@pytest.mark.parametrize('form', made.FORMS)
def test_a_teacher_of_any_form_demonstrates_what_it_advises(form: str) -> None:
  teacher = SnapshotTeacher('it', Snapshot(policy_for(form), {}, {}))
  (rollout,) = run(behaviour_of(teacher), 0.5)
  advised = teacher.actions(rollout.observations[:-1])
  np.testing.assert_allclose(rollout.proposed, advised, atol=1e-5)
  assert np.abs(rollout.actions - rollout.proposed).max() > 0.01


@pytest.mark.parametrize('form', made.FORMS)
def test_commands_take_a_file_of_any_form(form: str, tmp_path: Path) -> None:
  task = Environment('cartpole-swingup').task
  path = tmp_path / 'mine.npz'
  path.write_bytes(policy_for(form).of(task).to_bytes())
  config = evaluate.EvaluateConfig(str(path), episodes=2, episode_steps=9)
  summary = evaluate.evaluate(config, Console(quiet=True))
  places = [Environment('cartpole-swingup') for _ in range(2)]
  own = [rollouts.seed_for(1_000, rollouts.EVALUATE, index) for index in (0, 1)]
  returns, _ = split(rollouts.evaluate(places, policy_for(form), 9, own))
  assert summary['return_mean'] == np.mean(returns)
  assert describe.describe(str(path)) == task


@pytest.mark.parametrize('kind', [Environment, _Unfused])
@pytest.mark.parametrize('share', [0.3, 1.0])
def test_a_share_of_the_steps_is_uniformly_random(
  kind: type[Environment], share: float
) -> None:
  """The others are what they would be, and labels are what was proposed."""
  policy, count, steps = policy_for('deterministic'), 8, 300
  places = [kind('cartpole-swingup') for _ in range(count)]
  acted, _ = split(
    rollouts.run_episodes(
      places, policy, steps, 0.0, seeds(count), random_share=share
    )
  )
  done = np.concatenate([r.actions for r in acted])[:, 0]
  proposed = np.concatenate([r.proposed for r in acted])[:, 0]
  is_random = done != proposed
  assert is_random.mean() == pytest.approx(share, abs=0.04)
  drawn = np.sort(done[is_random])
  expected = np.linspace(-1, 1, len(drawn))
  assert np.abs(drawn - expected).max() < 0.15
  observations = np.concatenate([r.observations[:-1] for r in acted])
  np.testing.assert_allclose(proposed, policy(observations)[:, 0], atol=1e-5)


def test_random_steps_do_not_depend_on_what_runs_beside_them() -> None:
  policy = policy_for('deterministic')
  places = [Environment('cartpole-swingup') for _ in range(3)]

  def act(some: list[np.random.SeedSequence]) -> list[Rollout]:
    return split(
      rollouts.run_episodes(places, policy, STEPS, 0.3, some, random_share=0.5)
    )[0]

  assert_equal(act(seeds(3))[2:], act(seeds(3)[2:]))
