"""Runs of a study that another process runs, or ended, meanwhile."""

import os
from pathlib import Path
import shutil

import pytest

from launchers.runs.run_directory import LIVE, RunDirectory
from launchers.studies.config import Study
from launchers.studies.runner import Runner
from tests.launchers.studies import samples as studies
from tests.launchers.studies.running import FakeRunning, run, schedule

pytestmark = pytest.mark.usefixtures('begun')


def locked(job: Path) -> int:
  return RunDirectory(job).lock()


def test_what_another_process_runs_is_waited_for(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  """Here one of a start and one of a cell, of which one ends well."""
  archive = studies.archive(tmp_path)
  first, second = study.cells[:2]
  start, cell = archive.start(first), archive.root(second)
  locks = [locked(start), locked(cell)]
  runner = Runner(study, archive, schedule(tmp_path, parallel=12))
  for _ in range(20):
    runner.tick()
  assert runner.elsewhere == {start.name, cell.name}
  assert runner.done < runner.total
  assert not runner.failed
  os.close(locks[0])  # Unfinished: it is begun here.
  for _ in range(20):
    runner.tick()
  assert start.name in begun
  assert first.name in begun
  assert cell.name not in begun
  FakeRunning.poll(FakeRunning(runner._waiting[0], [], 1))
  begun.remove(cell.name)
  os.close(locks[1])
  while not runner.is_done:
    runner.tick()
  assert cell.name not in begun
  assert not runner.failed
  assert runner.done == runner.total == 8


def test_what_others_keep_and_discard_is_not_run(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  archive = studies.archive(tmp_path)
  only = schedule(tmp_path, only=('*-1-*',))
  lock = locked(archive.start(study.cells[0]))
  runner = Runner(study, archive, only)
  runner.tick()
  before = list(begun)
  there = studies.archive(tmp_path / 'there')
  archive.file(study.cells[0]).parent.mkdir(exist_ok=True)
  for cell in study.cells:
    studies.run(there.runs, cell)
    there.keep(cell, '')
    shutil.copy(there.file(cell), archive.file(cell))
  shutil.rmtree(archive.start(study.cells[0]))
  os.close(lock)
  while not runner.is_done:
    runner.tick()
  assert begun == before
  assert not runner.failed


@pytest.mark.parametrize('code', [-9, 1, 143])
def test_a_run_that_is_killed_as_it_ends_is_finished(
  tmp_path: Path,
  study: Study,
  monkeypatch: pytest.MonkeyPatch,
  code: int,
) -> None:
  poll = FakeRunning.poll
  monkeypatch.setattr(FakeRunning, 'poll', lambda self: poll(self) or code)
  runner = run(study, studies.archive(tmp_path), schedule(tmp_path))
  assert runner.done == runner.total


def test_a_run_that_found_another_is_begun_again(
  tmp_path: Path,
  study: Study,
  begun: list[str],
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Whoever was there took it between our look and its start."""
  poll = FakeRunning.poll
  monkeypatch.setattr(
    FakeRunning,
    'poll',
    lambda self: poll(self) if begun.count(self.job.name) > 1 else LIVE,
  )
  runner = run(study, studies.archive(tmp_path), schedule(tmp_path))
  assert runner.done == runner.total
  assert len(begun) == 2 * len(runner.finished)
