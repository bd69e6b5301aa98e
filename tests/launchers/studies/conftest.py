"""What the tests of the runner share."""

from pathlib import Path

import pytest

from launchers.studies import runner as study_runner
from launchers.studies.config import Study
from launchers.studies.jobs import Job
from tests.launchers.studies import samples as studies
from tests.launchers.studies.running import FakeRunning


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
  def is_finished(job: Job) -> bool:
    path = job.root / f'cycles/{job.config.cycles:03d}/policy.npz'
    return path.exists()

  monkeypatch.setattr(FakeRunning, 'begun', [], raising=False)
  monkeypatch.setattr(FakeRunning, 'commands', [], raising=False)
  monkeypatch.setattr(study_runner, 'Running', FakeRunning)
  monkeypatch.setattr(Job, 'is_finished', property(is_finished))
  return FakeRunning.begun


@pytest.fixture
def study(tmp_path: Path) -> Study:
  grid = {**studies.GRID, 'seed': [1, 0]}
  return studies.load(studies.make(tmp_path, grid=grid))
