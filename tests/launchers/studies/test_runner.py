"""The order of a study's jobs, and what is not run; nothing is trained."""

import json
from pathlib import Path
import shutil

import pytest

from launchers.runs import provenance
from launchers.studies.config import Study, StudyError
from launchers.studies.runner import Runner
from tests.launchers.studies import samples as studies
from tests.launchers.studies.running import FakeRunning, run, schedule

pytestmark = pytest.mark.usefixtures('begun')


def test_runs_are_begun_in_the_order_of_the_study(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  runner = run(study, studies.archive(tmp_path), schedule(tmp_path))
  cells = [name for name in begun if not name.startswith('start-')]
  assert cells == [cell.name for cell in study.cells]
  assert [(c.seed, c.task, c.method) for c in study.cells] == [
    (seed, task, method)
    for seed in (1, 0)
    for task in studies.TASKS
    for method in ('none', 'bc_fixed')
  ]
  # Each start right before the first cell that needs it.
  assert begun[::3] == list(study.starts)
  assert runner.done == runner.total == 8


def test_with_room_a_later_start_does_not_wait(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  run(study, studies.archive(tmp_path), schedule(tmp_path, parallel=2))
  first, second, *_ = study.starts
  assert begun[:3] == [first, second, study.cells[0].name]


def test_a_study_goes_on_from_files_alone(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  archive = studies.archive(tmp_path)
  runner = run(study, archive, schedule(tmp_path, only=('*-1-*',)))
  done = [cell for cell in study.cells if cell.seed == 1]
  assert {cell.name for cell in done} < runner.finished
  shutil.rmtree(archive.runs)
  begun.clear()
  run(study, archive, schedule(tmp_path))
  rest = [cell for cell in study.cells if cell.seed == 0]
  assert len(begun) == len(rest) + 2  # And no start of seed 1.
  assert set(begun) > {cell.name for cell in rest}


def test_what_another_machine_finishes_meanwhile_is_not_run(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  archive = studies.archive(tmp_path)
  runner = Runner(study, archive, schedule(tmp_path))
  there = studies.archive(tmp_path / 'there')
  for cell in study.cells[1:]:
    studies.run(there.runs, cell)
    there.keep(cell, '')
    archive.file(cell).parent.mkdir(exist_ok=True)
    shutil.copy(there.file(cell), archive.file(cell))
  while not runner.is_done:
    runner.tick()
  assert not runner.failed
  starts = [name for name in begun if name.startswith('start-')]
  assert begun[:2] == [study.cells[0].start.run_name, study.cells[0].name]
  assert len(begun) == 1 + len(starts)
  assert {cell.name for cell in study.cells} < runner.finished


def test_a_finished_directory_without_a_file_gets_one(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  archive = studies.archive(tmp_path)
  run(study, archive, schedule(tmp_path))
  cell = study.cells[0]
  text = archive.file(cell).read_text()
  archive.file(cell).unlink()
  begun.clear()
  run(study, archive, schedule(tmp_path))
  assert begun == []
  assert archive.file(cell).read_text() == text


def test_a_difference_is_told_and_the_first_stays(
  tmp_path: Path, study: Study
) -> None:
  archive = studies.archive(tmp_path)
  runner = Runner(study, archive, schedule(tmp_path, parallel=12))
  runner.tick()
  runner.tick()  # The cells run.
  cell = study.cells[0]
  other = studies.archive(tmp_path / 'there')
  studies.run(other.runs, cell, lambda cell, step: 0.5)
  other.keep(cell, '')
  archive.file(cell).parent.mkdir(exist_ok=True)
  text = other.file(cell).read_text()
  archive.file(cell).write_text(text)
  while not runner.is_done:
    runner.tick()
  (line,) = runner.told
  assert cell.name in line
  assert 'cycles[1].evaluations.interval.return_mean[0]: 500' in line
  assert archive.file(cell).read_text() == text


def test_bulky_directories_can_be_dropped(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  archive = studies.archive(tmp_path)
  first = study.cells[0]
  options = schedule(tmp_path, discard=True, only=(first.name,))
  run(study, archive, options)
  assert not archive.root(first).exists()
  assert archive.start(first).exists()  # Others of the study need it.
  run(study, archive, schedule(tmp_path, discard=True))
  left = [path for kind in ('cells', 'starts')
          for path in (archive.runs / 'studies' / kind).iterdir()]  # fmt: skip
  assert left == []
  assert begun.count(first.start.run_name) == 1
  begun.clear()
  run(study, archive, schedule(tmp_path, discard=True))
  assert begun == []


def test_a_cell_says_how_to_run_it_again(tmp_path: Path, study: Study) -> None:
  archive = studies.archive(tmp_path)
  cell = study.cells[0]
  options = schedule(tmp_path, only=(cell.name,), seeds=(1, 7))
  run(study, archive, options)
  # No path of a machine that nobody else has.
  assert json.loads(archive.file(cell).read_text())['command'] == (
    f'python -m launchers.study figure0.toml --only {cell.name} --seeds 1 7 '
    '--runs runs/again --cells runs/again/cells'
  )
  words = FakeRunning.commands[-1]
  assert words[3:5] == [str(tmp_path / 'figure0.toml'), cell.name]
  assert words[words.index('--seeds') + 1 :] == ['1', '7']


def test_a_forged_file_is_refused_before_anything_runs(
  tmp_path: Path, study: Study, begun: list[str]
) -> None:
  archive = studies.archive(tmp_path)
  run(study, archive, schedule(tmp_path))
  path = archive.file(study.cells[3])
  path.write_text(path.read_text().replace('[500', '[600', 1))
  begun.clear()
  with pytest.raises(StudyError, match=r'digest: .* was altered') as error:
    Runner(study, archive, schedule(tmp_path))
  assert str(path) in str(error.value)
  assert begun == []


def test_fresh_runs_again_what_older_sources_gave(
  tmp_path: Path,
  study: Study,
  begun: list[str],
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  archive = studies.archive(tmp_path)
  run(study, archive, schedule(tmp_path))
  old = archive.file(study.cells[0]).read_bytes()
  begun.clear()
  run(study, archive, schedule(tmp_path, fresh=True))
  assert not begun
  newer = provenance.RESULTS + 1
  monkeypatch.setattr(provenance, 'RESULTS', newer)
  run(study, archive, schedule(tmp_path))
  assert not begun  # Unless somebody asks for it.
  monkeypatch.setitem(studies.PROVENANCE, 'results', newer)
  only = ('*-1-????????',)
  runner = run(study, archive, schedule(tmp_path, fresh=True, only=only))
  again = [cell for cell in study.cells if cell.seed == 1]
  assert {cell.name for cell in again} == {*begun} & {
    c.name for c in study.cells
  }
  assert len(runner.told) == len(again)
  assert 'is of older sources; it is run again.' in runner.told[0]
  path = archive.file(study.cells[0])
  assert (
    (path.parent / 'older' / path.name).read_bytes() == old != path.read_bytes()
  )
  assert (tmp_path / 'runs/studies/older/cells' / again[0].name).is_dir()
  begun.clear()
  run(study, archive, schedule(tmp_path, fresh=True, only=only))
  assert not begun
