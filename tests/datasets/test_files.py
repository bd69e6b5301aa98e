"""Files are whole or absent, whenever their writer dies."""

import errno
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from datasets import files

# Writes a file twice and kills itself at a boundary of the second time; the
# boundary `half` is in the middle of the data.
WRITER = """
import os, signal, sys
from datasets import files
path, boundary = sys.argv[1:]
files.write_bytes(path, b'old' * 1000)
def die(name, _):
  if name == boundary:
    os.kill(os.getpid(), signal.SIGKILL)
files.boundary_hook = die
write = os.write
def write_half(descriptor, data):
  if boundary != 'half':
    return write(descriptor, data)
  write(descriptor, data[:len(data) // 2])
  os.kill(os.getpid(), signal.SIGKILL)
os.write = write_half
files.write_bytes(path, b'new' * 1000)
"""


def _names(directory: pathlib.Path) -> list[str]:
  return sorted(entry.name for entry in directory.iterdir())


@pytest.mark.parametrize('boundary', ['half', *files.BOUNDARIES])
def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path, boundary):
  path = tmp_path / 'file'
  done = subprocess.run([sys.executable, '-c', WRITER, str(path), boundary])
  assert done.returncode == -signal.SIGKILL
  is_new = boundary in ('renamed', 'dir_fsynced')
  assert path.read_bytes() == (b'new' if is_new else b'old') * 1000
  left = files.remove_aside(tmp_path)
  assert len(left) == (not is_new)
  assert _names(tmp_path) == ['file']


def test_order_of_the_calls(tmp_path, monkeypatch):
  """What survives a loss of power follows from this order alone."""
  calls: list[str] = []
  monkeypatch.setattr(os, 'fsync', _spy(calls, os.fsync))
  monkeypatch.setattr(os, 'replace', _spy(calls, os.replace))
  monkeypatch.setattr(
    files, 'boundary_hook', lambda name, _: calls.append(name)
  )
  files.write_text(tmp_path / 'file', 'text')
  assert calls == [
    'created', 'written', 'fsync', 'fsynced', 'replace', 'renamed', 'fsync',
    'dir_fsynced',
  ]  # fmt: skip
  assert (tmp_path / 'file').read_text() == 'text'


def test_many_are_synced_before_their_directory(tmp_path, monkeypatch):
  calls: list[str] = []
  monkeypatch.setattr(os, 'replace', _spy(calls, os.replace))
  monkeypatch.setattr(
    files, 'sync_directory', _spy(calls, files.sync_directory)
  )
  contents = {tmp_path / f'{n}': b'x' * n for n in range(40)}
  files.write_all(contents)
  assert calls == ['replace'] * 40 + ['sync_directory']
  assert {path: path.read_bytes() for path in tmp_path.iterdir()} == contents


def test_of_many_each_is_whole_or_absent(tmp_path, monkeypatch):
  def fail(name: str, path: pathlib.Path) -> None:
    if name == 'written' and path.name == '7':
      raise OSError(errno.ENOSPC, 'full')

  monkeypatch.setattr(files, 'boundary_hook', fail)
  contents = {tmp_path / f'{n}': b'x' * 100 for n in range(40)}
  with pytest.raises(files.OutOfSpaceError, match='/7'):
    files.write_all(contents)
  kept = _names(tmp_path)
  assert '7' not in kept
  assert all((tmp_path / name).read_bytes() == b'x' * 100 for name in kept)


def _spy(calls, function):
  def call(*args):
    calls.append(function.__name__)
    return function(*args)

  return call


@pytest.mark.parametrize('call', ['write', 'fsync', 'replace'])
@pytest.mark.parametrize(
  ('number', 'kind'),
  [
    (errno.ENOSPC, files.OutOfSpaceError),
    (errno.EDQUOT, files.OutOfSpaceError),
    (errno.EIO, OSError),
    (errno.EACCES, PermissionError),
  ],
)
def test_an_error_leaves_the_old_file(
  tmp_path, monkeypatch, call, number, kind
):
  path = tmp_path / 'file'
  files.write_bytes(path, b'old')

  def fail(*_):
    raise OSError(number, os.strerror(number))

  with monkeypatch.context() as patch:
    patch.setattr(os, call, fail)
    with pytest.raises(kind) as error:
      files.write_bytes(path, b'new')
  assert error.value.errno == number
  assert str(path) in str(error.value)
  if kind is files.OutOfSpaceError:
    assert 'Free some space' in str(error.value)
    assert '3 bytes' in str(error.value)
  assert _names(tmp_path) == ['file']
  assert path.read_bytes() == b'old'


def test_a_full_disk(tmp_path):
  mount = ['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', str(tmp_path)]
  try:
    subprocess.run(mount, check=True, capture_output=True)
  except (OSError, subprocess.CalledProcessError):
    pytest.skip('No right to mount a small file system.')
  try:
    files.write_bytes(tmp_path / 'small', b'x' * 40_000)
    with pytest.raises(files.OutOfSpaceError, match='100,000 bytes'):
      files.write_bytes(tmp_path / 'big', b'x' * 100_000)
    assert _names(tmp_path) == ['small']
    assert (tmp_path / 'small').read_bytes() == b'x' * 40_000
  finally:
    subprocess.run(['umount', str(tmp_path)], check=True)


def test_a_missing_directory_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='missing'):
    files.write_bytes(tmp_path / 'missing' / 'file', b'')


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
  def interrupt(*_):
    raise KeyboardInterrupt

  monkeypatch.setattr(os, 'fsync', interrupt)
  with pytest.raises(KeyboardInterrupt):
    files.write_bytes(tmp_path / 'file', b'data')
  assert _names(tmp_path) == []


def test_the_files_of_living_writers_stay(tmp_path):
  code = """
import sys, time
from datasets import files
def wait(name, _):
  print(name, flush=True)
  time.sleep(60)
files.boundary_hook = wait
files.write_bytes(sys.argv[1], b'data')
"""
  command = [sys.executable, '-c', code, str(tmp_path / 'file')]
  with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
    try:
      assert writer.stdout is not None
      writer.stdout.readline()
      assert files.remove_aside(tmp_path) == []
      assert len(_names(tmp_path)) == 1
    finally:
      writer.kill()
  assert len(files.remove_aside(tmp_path)) == 1
  assert _names(tmp_path) == []


def test_clearing_never_disturbs_a_writer(tmp_path):
  stop = threading.Event()

  def clear():
    while not stop.is_set():
      files.remove_aside(tmp_path)

  thread = threading.Thread(target=clear)
  thread.start()
  try:
    for index in range(200):
      files.write_text(tmp_path / f'{index}', str(index))
  finally:
    stop.set()
    thread.join()
  assert _names(tmp_path) == sorted(map(str, range(200)))


def test_long_names(tmp_path):
  path = tmp_path / ('n' * 255)
  files.write_bytes(path, b'data')
  assert path.read_bytes() == b'data'


def test_make_directory(tmp_path):
  made = files.make_directory(tmp_path / 'a' / 'b')
  assert made.is_dir()
  assert files.make_directory(made) == made
