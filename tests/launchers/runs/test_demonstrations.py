"""Demonstrations from a directory: of the run's task, or refused."""

from pathlib import Path

import pytest

from datasets.store import EpisodeStore
from datasets.tasks import Task
from datasets.types import EnvironmentSpec
from launchers.runs import demonstrations
from launchers.runs.config import DemonstrationConfig, GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from tests.datasets.samples import make_episode

SPEC = EnvironmentSpec(5, 1)
TASK = Task('cartpole-swingup', *SPEC)


def import_from(tmp_path: Path, *tasks: Task | None) -> RunDirectory:
  source = EpisodeStore(tmp_path / 'source')
  for index, task in enumerate(tasks):
    source.commit(make_episode(index, spec=SPEC, task=task))
  config = GrowingBatchConfig(
    name='run',
    demonstrations=DemonstrationConfig(
      path=source.directory, episodes=len(tasks)
    ),
  )
  directory = RunDirectory(tmp_path / 'run')
  demonstrations.import_into(config, directory, TASK, lambda count: None)
  return directory


def test_episodes_of_the_task_and_older_ones_are_copied(tmp_path) -> None:
  copies = list(import_from(tmp_path, TASK, None).store(0))
  assert [e.task for e in copies] == [TASK, None]
  assert {e.identity.run for e in copies} == {'run'}


def test_those_of_another_task_of_equal_widths_are_refused(tmp_path) -> None:
  with pytest.raises(ValueError, match='cartpole-balance, not cartpole-swing'):
    import_from(tmp_path, TASK, Task('cartpole-balance', *SPEC))
