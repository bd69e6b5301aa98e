"""Demonstrations from a directory: of the run's task, or refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datasets.store import EpisodeStore
from datasets.tasks import Task
from datasets.types import EnvironmentSpec, Episode
from launchers.runs import demonstrations
from launchers.runs.config import DemonstrationConfig, GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from tests.datasets.samples import make_episode

SPEC = EnvironmentSpec(5, 1)
TASK = Task('cartpole-swingup', *SPEC)


def import_again(tmp_path: Path, count: int) -> RunDirectory:
  config = GrowingBatchConfig(
    name='run',
    demonstrations=DemonstrationConfig(
      path=tmp_path / 'source', episodes=count
    ),
  )
  directory = RunDirectory(tmp_path / 'run')
  demonstrations.import_into(config, directory, TASK, lambda count: None)
  return directory


def import_from(tmp_path: Path, *tasks: Task | None) -> RunDirectory:
  source = EpisodeStore(tmp_path / 'source')
  for index, task in enumerate(tasks):
    source.commit(make_episode(index, spec=SPEC, task=task))
  return import_again(tmp_path, len(tasks))


def test_episodes_of_the_task_and_older_ones_are_copied(tmp_path) -> None:
  copies = list(import_from(tmp_path, TASK, None).store(0))
  assert [e.task for e in copies] == [TASK, None]
  assert {e.identity.run for e in copies} == {'run'}


def test_those_of_another_task_of_equal_widths_are_refused(tmp_path) -> None:
  with pytest.raises(ValueError, match='cartpole-balance, not cartpole-swing'):
    import_from(tmp_path, TASK, Task('cartpole-balance', *SPEC))


def changed(array: np.ndarray, where: int, value: float) -> np.ndarray:
  copy = array.copy()
  copy.flat[where] = value
  return copy


BAD: dict[str, Callable[[Episode], Episode]] = {
  'beyond': lambda e: e._replace(actions=changed(e.actions, 1, 3.0)),
  'float64': lambda e: e._replace(
    observations=e.observations.astype(np.float64)
  ),
  r'rewards\[2\] is nan': lambda e: e._replace(
    rewards=changed(e.rewards, 2, np.nan)
  ),
  r'discounts\[0\] is 0.89': lambda e: e._replace(
    discounts=np.float32(0.9) * e.discounts
  ),
  'steps follow': lambda e: e._replace(discounts=changed(e.discounts, 1, 0)),
  'shape': lambda e: make_episode(1, spec=EnvironmentSpec(17, 6)),
}


@pytest.mark.parametrize('message', BAD)
def test_what_nothing_may_learn_from_is_refused_before_any_copy(
  tmp_path: Path, message: str
) -> None:
  source = EpisodeStore(tmp_path / 'source')
  source.commit(make_episode(0, spec=SPEC))
  good = make_episode(1, spec=SPEC)
  source.commit(BAD[message](good))
  with pytest.raises(ValueError, match=message) as refusal:
    import_again(tmp_path, 2)
  assert f'{source.directory}/run-' in str(refusal.value)
  assert not (tmp_path / 'run').exists()
  # A mended source helps.
  source.discard(good.identity)
  source.commit(good)
  assert len(import_again(tmp_path, 2).store(0)) == 2


def test_bad_copies_of_older_imports_are_set_aside_and_copied_again(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  directory = import_from(tmp_path, TASK, TASK)
  store = directory.store(0)
  bad = next(iter(store))
  store.discard(bad.identity)
  store.commit(bad._replace(rewards=changed(bad.rewards, 0, np.nan)))
  store.commit(bad._replace(identity=bad.identity._replace(run='other')))
  copies = list(import_again(tmp_path, 2).store(0))
  assert [e.identity.episode for e in copies] == [0, 1]
  assert all(np.isfinite(e.rewards).all() for e in copies)
  told = capsys.readouterr().out
  assert told.count('Set aside') == 2
  assert 'run-000-000-000000.npz' in told


def test_a_mended_source_replaces_an_import_that_was_cut_off(
  tmp_path: Path,
) -> None:
  directory = import_from(tmp_path, TASK, TASK)
  store = directory.store(0)
  first, second = store
  store.discard(second.identity)
  source = EpisodeStore(tmp_path / 'source')
  old = next(iter(source))
  source.discard(old.identity)
  source.commit(old._replace(rewards=old.rewards + 1))
  copy = next(iter(import_again(tmp_path, 2).store(0)))
  np.testing.assert_array_equal(copy.rewards, first.rewards + 1)


def test_a_mistyped_path_is_refused_and_not_made(tmp_path: Path) -> None:
  with pytest.raises(FileNotFoundError, match=r'no such directory.*source'):
    import_again(tmp_path, 2)
  assert not (tmp_path / 'source').exists()
  assert not (tmp_path / 'run').exists()
