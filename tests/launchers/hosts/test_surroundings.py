"""Locales, screens, proxies and temporary files of whoever starts a program."""

import errno
import os
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Optional

import pytest
from rich.console import Console

from datasets import files
from launchers import options
from launchers.hosts import process, temporaries
from tests.launchers.harness import ROOT


def python(
  *words: str, **variables: str
) -> 'subprocess.CompletedProcess[bytes]':
  environment = {**os.environ, 'PYTHONPATH': str(ROOT), **variables}
  return subprocess.run(
    [sys.executable, *words],
    cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False,
  )  # fmt: skip


@pytest.mark.parametrize('value', ['osmesa', 'of another kind', '', 'disabled'])
def test_what_cannot_draw_keeps_nobody_from_acting(value: str) -> None:
  text = """
import launchers, os
from dm_control import suite
suite.load('cartpole', 'swingup')
print(os.environ['MUJOCO_GL'])
"""
  # With another platform for OpenGL, OSMesa loads nowhere.
  ended = python('-c', text, MUJOCO_GL=value, PYOPENGL_PLATFORM='none')
  assert ended.returncode == 0, ended.stderr.decode()
  assert ended.stdout == b'disable\n'
  assert not ended.stderr


def test_what_can_draw_is_left_alone() -> None:
  text = 'import launchers, os; print(os.environ["MUJOCO_GL"])'
  egl = python('-c', 'import dm_control._render', MUJOCO_GL='egl')
  if egl.returncode:
    pytest.skip('This machine has no EGL.')
  assert python('-c', text, MUJOCO_GL='egl').stdout == b'egl\n'


def test_what_an_output_cannot_show_is_escaped(tmp_path: Path) -> None:
  (tmp_path / 'π').mkdir()
  (tmp_path / 'π' / 'config.json').write_text('{"task": "x"}')
  run = str(tmp_path / 'π')
  ended = python('-m', 'launchers.report', run, PYTHONIOENCODING='latin-1')
  assert ended.returncode == 0, ended.stderr.decode()
  assert b'\\u03c0' in ended.stdout
  short = python('-m', 'launchers', 'report', run, PYTHONIOENCODING='ascii')
  assert short.returncode == 0, short.stderr.decode()


def test_nodes_may_print_anything(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setattr(os, 'environ', {**os.environ})
  monkeypatch.setitem(os.environ, 'PYTHONIOENCODING', 'ascii')
  process.prepare_environment()
  process.prepare_environment()
  inherited = {'PYTHONIOENCODING': os.environ['PYTHONIOENCODING']}
  assert python('-c', 'print("π")', **inherited).stdout == b'\\u03c0\n'


def test_no_proxy_is_asked_for_this_machine(
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  monkeypatch.setattr(os, 'environ', {**os.environ})
  monkeypatch.setitem(os.environ, 'no_proxy', 'a.example,localhost')
  monkeypatch.setitem(os.environ, 'NO_PROXY', 'b.example')
  for _ in range(2):  # Whoever is started again does it again.
    process.prepare_environment()
    names = os.environ['no_proxy'].split(',')
    assert os.environ['NO_PROXY'] == os.environ['no_proxy']
    assert sorted(names) == sorted({
      'a.example', 'b.example', 'localhost', '127.0.0.1', '::1', '0.0.0.0',
    })  # fmt: skip


@pytest.mark.parametrize('before', [None, '/tmp'])
def test_temporary_files_are_in_a_directory_that_is_cleared(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Optional[str]
) -> None:
  if before is None:
    monkeypatch.delenv('TMPDIR', raising=False)
  else:
    monkeypatch.setenv('TMPDIR', before)
  directory, elsewhere = tmp_path / 'tmp', tempfile.gettempdir()
  (directory / 'of the dead').mkdir(parents=True)
  with temporaries.inside(directory):
    assert not list(directory.iterdir())
    assert Path(tempfile.mkdtemp()).parent == directory
    child = python('-c', 'import tempfile; print(tempfile.gettempdir())')
    assert child.stdout.decode().strip() == str(directory)
  assert not directory.exists()
  assert tempfile.gettempdir() == elsewhere
  assert os.environ.get('TMPDIR') == before


def no_space() -> None:
  """What a library does that writes where nothing fits."""
  raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_lack_of_space_has_a_place(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  directory = tmp_path / 'tmp'
  with (
    pytest.raises(files.OutOfSpaceError, match=str(directory)),
    temporaries.inside(directory),
  ):
    no_space()
  assert not directory.exists()
  assert options.guard(Console(width=999), no_space) == 2
  refusal = capsys.readouterr().out
  assert tempfile.gettempdir() in refusal
  assert 'TMPDIR' in refusal
