"""The logs of the studies that ship, and the point that some are of."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from datasets.store import EpisodeStore
from datasets.tasks import Task
from datasets.validation import EpisodeRefused
from launchers.acting import places
from launchers.runs import schemas
from launchers.studies import logs
from launchers.studies.config import StudyError
from launchers.studies.offline import LogConfig
from launchers.studies.stages import LOG
from studies import point

POINT = Task('studies.point:make', 2, 2)
MIXED = LogConfig('p', 'mixed', 3, 'studies.point:write_log?episodes=9')


def test_the_environment_is_what_its_logs_are_of() -> None:
  environment = point.make()
  for episode in point.log(20, right=0.5):
    environment.reset(seed=0)
    environment._state = episode.observations[0]
    for t in range(point.STEPS):
      state, reward, terminated, truncated, _ = environment.step(
        episode.actions[t]
      )
      np.testing.assert_array_equal(state, episode.observations[t + 1])
      assert reward == pytest.approx(episode.rewards[t], rel=1e-6)
      assert not terminated
    assert truncated


def test_it_begins_near_the_middle_and_as_seeded() -> None:
  environment = point.make()
  starts = [environment.reset(seed=seed)[0] for seed in (1, 1, 2)]
  np.testing.assert_array_equal(starts[0], starts[1])
  assert (starts[0] != starts[2]).all()
  assert np.abs(starts).max() < 0.5


def test_one_can_learn_in_it() -> None:
  assert tuple(places.describe('studies.point:make').task.spec) == (2, 2)


def test_a_log_says_what_is_in_it(tmp_path: Path) -> None:
  logs.make(MIXED, POINT, tmp_path)
  found = schemas.read(tmp_path / LOG)
  returns = [e.episode_return for e in point.log(9, right=0.2, seed=3)]
  assert found['episodes'] == 9
  assert found['transitions'] == 180
  assert found['return_mean'] == pytest.approx(np.mean(returns))
  assert found['return_max'] == max(returns)


def test_a_log_that_was_interrupted_is_the_same(tmp_path: Path) -> None:
  for name in ('whole', 'torn'):
    (tmp_path / name).mkdir()
  logs.make(MIXED, POINT, tmp_path / 'whole')
  part = dataclasses.replace(MIXED, make=MIXED.make.replace('9', '4'))
  logs.make(part, POINT, tmp_path / 'torn')
  for name in ('config.json', LOG):
    (tmp_path / 'torn' / name).unlink()
  logs.make(MIXED, POINT, tmp_path / 'torn')
  whole, torn = (schemas.read(tmp_path / n / LOG) for n in ('whole', 'torn'))
  assert whole == torn


def test_too_few_episodes_are_refused(tmp_path: Path) -> None:
  config = dataclasses.replace(MIXED, first_episodes=10)
  with pytest.raises(StudyError, match=r'logs\.mixed: .* holds 9 episodes'):
    logs.make(config, POINT, tmp_path)
  assert not (tmp_path / LOG).exists()


def test_a_log_of_another_task_is_refused(tmp_path: Path) -> None:
  """Before anything is run where it is there; else as soon as it is made."""
  other = Task('other', 2, 2)
  store = EpisodeStore(tmp_path)
  for episode in point.log(2, right=0.5):
    store.commit(episode._replace(task=POINT))
  there = LogConfig('other', 'low', 0, '', (str(tmp_path),))
  logs.check(there, POINT)
  with pytest.raises(StudyError, match=r'logs\.low: .*make, not other'):
    logs.check(there, other)
  few = dataclasses.replace(there, first_episodes=3)
  with pytest.raises(StudyError, match='holds 2 episodes; wanted are 3'):
    logs.check(few, POINT)
  wider = Task('other', 3, 2)
  (tmp_path / 'made').mkdir()
  message = r'\(21, 2\), but must have \(21, 3\)'
  with pytest.raises(EpisodeRefused, match=message):
    logs.make(MIXED, wider, tmp_path / 'made')
  assert not (tmp_path / 'made' / LOG).exists()


@pytest.mark.processes
@pytest.mark.long
def test_demonstrations_are_those_of_the_recipe(tmp_path: Path) -> None:
  config = LogConfig(
    'cartpole-balance', 'it', 0,
    'studies.logs:demonstrations?teacher=cartpole-balance/expert&episodes=2'
    '&noise=0.3&random_share=0.3&labels=False&episode_steps=20',
  )  # fmt: skip
  task = places.describe('cartpole-balance').task
  logs.check(config, task)
  logs.make(config, task, tmp_path)
  found = list(EpisodeStore.open(tmp_path / 'episodes'))
  assert [episode.num_steps for episode in found] == [20, 20]
  assert all(episode.annotation is None for episode in found)
