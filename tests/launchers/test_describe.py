"""What an observation holds, for whoever writes a teacher."""

import json
from pathlib import Path
import socket
import sys

import pytest

from datasets.tasks import Field, Task
from launchers import describe as describe_command
from launchers.environments.suite import Environment
from teachers import untrained
from tests.launchers.test_commands import command
from tests.teachers.services import Doubler, serving

TASK = Task(
  'lab-heat',
  3,
  2,
  (Field('temperature', (2,), -40.0, 120.0, '°C'), Field('valve', (), 0, 1)),
  (Field('heat', (2,), (0.0, 0.0), (5.0, 9.0), 'kW'),),
)


def described(what: str) -> dict:
  run = command('describe', what, '--json')
  assert run.returncode == 0, run.stderr
  assert len(run.stdout.splitlines()) == 1
  return json.loads(run.stdout)


@pytest.mark.parametrize(
  'what', ['walker-run', 'walker:run', 'walker-run/expert']
)
def test_json_says_where_each_field_is(what: str) -> None:
  """The shipped snapshots name their task alone."""
  tree = described(what)
  assert Task.from_json(tree) == Environment('walker-run').task
  fields = tree['observations']
  assert [(f['name'], f['offset'], f['size'], f['unit']) for f in fields] == [
    ('orientations', 0, 14, '1'),
    ('height', 14, 1, 'm'),
    ('velocity', 15, 9, ''),
  ]
  (action,) = tree['actions']
  assert (action['low'], action['high']) == ([-1.0] * 6, [1.0] * 6)


def test_what_a_file_carries_is_printed(tmp_path: Path) -> None:
  """Also of a task that is not installed here."""
  path = tmp_path / 'policy.npz'
  path.write_bytes(untrained.make(3, 2, 0).of(TASK).to_bytes())
  run = command('describe', str(path))
  assert run.returncode == 0, run.stderr
  lines = [line.replace('│', ' ').split() for line in run.stdout.splitlines()]
  assert ['lab-heat'] in lines
  assert ['temperature', '0', '2', '2', '°C', '-40', '120'] in lines
  assert ['valve', '2', '1', '0', '1'] in lines
  assert ['heat', '0', '2', '2', 'kW', '0', '5,', '9'] in lines
  tree = described(str(path))
  assert Task.from_json(tree) == TASK


def test_what_a_service_says_is_printed() -> None:
  teacher = Doubler()
  teacher.task = TASK
  with serving(teacher) as server:
    tree = described(f'grpc://{server.address}')
  assert Task.from_json(tree) == TASK


def test_a_service_that_is_not_there_takes_a_line(
  monkeypatch: pytest.MonkeyPatch,
  caplog: pytest.LogCaptureFixture,
  capsys: pytest.CaptureFixture[str],
) -> None:
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = f'grpc://127.0.0.1:{free.getsockname()[1]}'
  monkeypatch.setattr(describe_command, '_PATIENCE', 0.5)
  monkeypatch.setattr(sys, 'argv', ['describe', address])
  assert describe_command.main() == 1
  said = capsys.readouterr().err
  assert 'Start the service, or correct the address' in said
  assert len(said.splitlines()) == 1
  assert 'same command' not in said
  assert not caplog.records


def test_what_cannot_be_described_is_refused(tmp_path: Path) -> None:
  (tmp_path / 'old.npz').write_bytes(untrained.make(3, 2, 0).to_bytes())
  for what, says in (
    ('cartpole-swingup/expret', 'Did you mean cartpole-swingup/expert'),
    ('http://far:1', 'written grpc://HOST:PORT, as in grpc://far:1'),
    ('cartpole-fly', 'Did you mean cartpole-'),
    ('nothing.npz', 'no file and no shipped snapshot'),
    (str(tmp_path / 'old.npz'), 'does not say what task'),
  ):
    for words in ((what,), (what, '--json')):
      run = command('describe', *words)
      assert run.returncode == 2
      assert not run.stdout
      assert len(run.stderr.splitlines()) == 1
      assert says in run.stderr
