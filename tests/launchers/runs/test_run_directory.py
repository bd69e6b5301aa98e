"""What the run directory tells after a stop, a kill, or damage."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from datasets.files import DamagedFileError
from launchers.options import inhabited
from launchers.runs import saved
from launchers.runs.run_directory import RunDirectory, RunIsLiveError
from tests.launchers.harness import ROOT, random_policy


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
  return RunDirectory(tmp_path / 'run')


def publish(directory: RunDirectory, cycle: int) -> None:
  directory.cycle(cycle).mkdir(parents=True)
  directory.publish(cycle, random_policy(cycle).to_bytes())


def test_a_cycle_is_finished_when_its_policy_exists(
  directory: RunDirectory,
) -> None:
  assert directory.finished_cycles(3) == 0
  for cycle in (0, 1, 3):
    publish(directory, cycle)
  assert directory.finished_cycles(3) == 2
  assert directory.finished_cycles(1) == 2


def test_a_damaged_policy_unfinishes_its_cycle_and_is_kept(
  directory: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
  publish(directory, 0)
  publish(directory, 1)
  directory.policy_path(0).write_bytes(b'torn')
  assert directory.finished_cycles(3) == 0
  assert 'policy.npz is damaged' in capsys.readouterr().out
  kept = directory.policy_path(0).with_suffix('.damaged')
  assert kept.read_bytes() == b'torn'


def test_pending_evaluations_outlive_the_process(
  directory: RunDirectory,
) -> None:
  directory.root.mkdir()
  keys = [('interval', 1, 200), ('final', 2, 400)]
  for kind, cycle, step in keys:
    directory.keep_pending((kind, cycle, step), b'policy')
  assert directory.pending() == {('final', 2, 400): b'policy'} | {
    ('interval', 1, 200): b'policy'
  }
  directory.drop_pending(('interval', 1, 200))
  directory.drop_pending(('interval', 1, 200))
  assert list(directory.pending()) == [('final', 2, 400)]


def test_one_process_at_a_time(directory: RunDirectory) -> None:
  held = directory.lock()
  script = (
    'import sys; from pathlib import Path\n'
    'from launchers.runs.run_directory import RunDirectory\n'
    'RunDirectory(Path(sys.argv[1])).lock()'
  )
  command = [sys.executable, '-c', script, str(directory.root)]
  second = subprocess.run(
    command, cwd=ROOT, capture_output=True, text=True, check=False
  )
  assert RunIsLiveError.__name__ in second.stderr
  assert str(os.getpid()) in second.stderr
  os.close(held)
  subprocess.run(command, cwd=ROOT, check=True)


def test_a_refused_command_leaves_no_directory_of_its_own(
  tmp_path: Path,
) -> None:
  (tmp_path / 'there').mkdir()
  for runs in ('there', 'made/by/it'):
    directory = RunDirectory(tmp_path / runs / 'run')
    with inhabited(directory):
      assert directory.root.is_dir()
  assert [path.name for path in tmp_path.iterdir()] == ['there']
  with inhabited(directory):
    (tmp_path / 'made/by/another').touch()
  assert [p.name for p in (tmp_path / 'made/by').iterdir()] == ['another']


def test_what_was_set_aside_is_told(directory: RunDirectory) -> None:
  assert saved.set_aside(directory) == ''
  publish(directory, 0)
  directory.policy_path(0).write_bytes(b'torn')
  assert directory.policy(0) is None
  store = directory.store(0)
  (store.directory / 'x.npz').touch()
  store.quarantine()
  said = saved.set_aside(directory)
  assert 'cycles/000/policy.damaged, ' in said
  assert 'demonstrations/quarantine/x.npz. ' in said


@pytest.mark.parametrize(
  ('name', 'remedy'),
  [
    ('config.json', 'lacks task; restore it'),
    ('teacher.json', 'lacks episodes; restore it, or remove it'),
    ('cycle.json', 'lacks cycle, episodes, steps; restore it'),
    ('data.json', 'lacks digest, episodes, transitions; restore it'),
  ],
)
def test_an_empty_record_is_damaged_and_has_a_remedy(
  directory: RunDirectory, name: str, remedy: str
) -> None:
  directory.write_json(directory.root / name, {})
  with pytest.raises(DamagedFileError, match=remedy):
    directory.read_json(directory.root / name)


def test_a_damaged_record_is_named(directory: RunDirectory) -> None:
  directory.write_json(
    directory.teacher_result, {'episodes': 1, 'return_mean': 1.0}
  )
  assert directory.read_json(directory.teacher_result) == {
    'episodes': 1,
    'return_mean': 1.0,
  }
  directory.teacher_result.write_text('{"return')
  with pytest.raises(DamagedFileError, match=r'teacher\.json'):
    directory.read_json(directory.teacher_result)


def test_each_launch_has_its_logs(directory: RunDirectory) -> None:
  assert [directory.logs().name for _ in range(3)] == ['001', '002', '003']
