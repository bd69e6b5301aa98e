"""The short names: each leads to a command, which says how it was called."""

import subprocess
import sys

import pytest

from launchers import __main__ as dispatcher
from launchers.hosts import isolation, process
from tests.test_rooms import SHARED
from tests.tree import ROOT

# Started by other commands, never by a person.
INTERNAL = ('study_cell',)
COMMANDS = sorted(dispatcher.COMMANDS.items())


def start(
  *words: str, module: str = 'launchers'
) -> 'subprocess.CompletedProcess[str]':
  return subprocess.run(
    [sys.executable, '-m', module, *words],
    cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
  )  # fmt: skip


def test_the_table_is_the_commands_that_there_are() -> None:
  files = {path.stem for path in (ROOT / 'launchers').glob('[!_]*.py')}
  listed = list(dispatcher.COMMANDS.values())
  assert sorted(listed) == sorted(files - {*SHARED, *INTERNAL})


def test_help_lists_every_command() -> None:
  result = start('--help')
  assert result.returncode == 0, result.stderr
  for name, what in (
    ('run', 'Runs a growing batch'),
    ('fit-reward', 'Fits a reward model'),
  ):
    assert any(
      line.split(maxsplit=1) == [name, what]
      for line in result.stdout.splitlines()
    ), result.stdout
  rows = result.stdout.split('\n\n')[1].splitlines()
  assert [row.split()[0] for row in rows] == list(dispatcher.COMMANDS)
  assert all(len(row.split()) > 1 for row in rows), 'No docstring?'


def test_help_and_refusals_import_nothing_that_takes_time() -> None:
  program = (
    'import sys\n'
    'from launchers.__main__ import main\n'
    'for word, code in (("--help", 0), ("xyzzy", 2)):\n'
    '  sys.argv = ["understudy", word]\n'
    '  assert main() == code\n'
    'assert not {"absl", "numpy", "rich", "tyro"} & set(sys.modules)\n'
  )
  result = subprocess.run(
    [sys.executable, '-c', program],
    cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
  ('words', 'said'),
  [
    (('evalute', '--task', 'x'), "no command 'evalute'; did you mean 'eval"),
    (('growing-batch',), "did you mean 'run'?"),
    (('xyzzy',), "no command 'xyzzy'; see --help."),
    ((), 'usage: python -m launchers COMMAND'),
  ],
)
def test_another_name_is_refused(words: tuple[str, ...], said: str) -> None:
  result = start(*words)
  assert result.returncode == 2
  assert said in result.stderr
  assert not result.stdout


@pytest.mark.parametrize(('name', 'module'), COMMANDS)
def test_usage_says_how_it_was_called(name: str, module: str) -> None:
  short, long = (
    start(name, '--help'),
    start('--help', module=f'launchers.{module}'),
  )
  for result, called in (
    (short, f'python -m launchers {name}'),
    (long, f'python -m launchers.{module}'),
  ):
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f'usage: {called} ')


@pytest.mark.parametrize(
  ('called', 'expected'),
  [
    ('understudy run', 'understudy run'),
    ('python -m launchers run', 'python -m launchers run'),
    (
      '/anywhere/launchers/growing_batch.py',
      'python -m launchers.growing_batch',
    ),
  ],
)
def test_the_line_to_go_on_is_what_was_typed(
  called: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.delenv('UNDERSTUDY_COMMAND', raising=False)
  monkeypatch.setattr(sys, 'argv', [called, '--teacher', 'my:make?a=1&b=2'])
  assert process.program('launchers.growing_batch') == expected
  assert isolation.command('launchers.growing_batch') == (
    f"{expected} --teacher 'my:make?a=1&b=2'"
  )
