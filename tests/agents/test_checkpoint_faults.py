"""Saving when the disk is full, and when the learner dies."""

import errno
import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from agents import checkpoint
from tests.agents.test_checkpoint import make, names, save, value


class TestFullDisk:
  @pytest.mark.parametrize('call', ['fsync', 'rename'])
  def test_the_operating_system_says_so(self, tmp_path, monkeypatch, call):
    save(tmp_path, 1)

    def fail(*args, **kwargs):
      raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
      patch.setattr(os, call, fail)
      with pytest.raises(checkpoint.OutOfSpaceError, match='free some') as e:
        save(tmp_path, 2)
    assert e.value.errno == errno.ENOSPC
    assert 'step_000000002' in str(e.value)
    self.only_the_first(tmp_path)

  @pytest.mark.parametrize(
    'error',
    [
      tf.errors.ResourceExhaustedError(None, None, 'x; No space left'),
      tf.errors.UnknownError(None, None, 'x; No space left on device'),
    ],
  )
  def test_tensorflow_says_so(self, tmp_path, monkeypatch, error):
    save(tmp_path, 1)

    def fail(self, path):
      pathlib.Path(path + '.index').write_bytes(b'half')
      raise error

    with monkeypatch.context() as patch:
      patch.setattr(tf.train.Checkpoint, 'write', fail)
      with pytest.raises(checkpoint.OutOfSpaceError, match='free some'):
        save(tmp_path, 2)
    self.only_the_first(tmp_path)

  def test_another_error_is_not_renamed(self, tmp_path, monkeypatch):
    save(tmp_path, 1)

    def fail(descriptor):
      raise OSError(errno.EIO, 'Input/output error')

    with monkeypatch.context() as patch:
      patch.setattr(os, 'fsync', fail)
      with pytest.raises(OSError, match='Input/output') as error:
        save(tmp_path, 2)
    assert not isinstance(error.value, checkpoint.OutOfSpaceError)
    self.only_the_first(tmp_path)

  def test_a_disk_that_is_really_full(self, tmp_path):
    """A file system of 64 kB, where the kernel lets us mount one."""
    unshare = ['unshare', '-rm', 'sh', '-c']
    mount = 'mount -t tmpfs -o size=64k none "$0"'
    tried = subprocess.run(
      [*unshare, mount, str(tmp_path)], capture_output=True
    )
    if tried.returncode:
      pytest.skip(f'cannot mount here: {tried.stderr!r}')
    code = (
      'import sys, os, tensorflow as tf\n'
      'from agents import checkpoint\n'
      'save = lambda n, step: checkpoint.save(\n'
      '  {"v": tf.Variable(tf.ones([n]))}, sys.argv[1], step)\n'
      'save(100, 1)\n'
      'try:\n'
      '  save(100_000, 2)\n'
      'except checkpoint.OutOfSpaceError as error:\n'
      '  print(os.listdir(sys.argv[1]))\n'
    )
    output = subprocess.run(
      [
        *unshare,
        f'{mount} && exec "$@"',
        str(tmp_path),
        sys.executable,
        '-c',
        code,
        str(tmp_path),
      ],
      capture_output=True,
      text=True,
      check=True,
      timeout=60,
    ).stdout
    assert output.strip() == "['step_000000001']"

  def only_the_first(self, tmp_path):
    assert names(tmp_path) == ['step_000000001']
    restored = make()
    assert checkpoint.restore_newest(restored, tmp_path).step == 1
    assert value(restored) == 1


class TestDeath:
  """A learner dies at any boundary of a save; the next one finds a whole."""

  @pytest.mark.parametrize('same_step', [False, True])
  def test_at_every_boundary(self, tmp_path, monkeypatch, same_step):
    second = 1 if same_step else 2
    boundary, died = 0, True
    while died:
      directory = tmp_path / str(boundary)
      save(directory, 1, 10)
      with monkeypatch.context() as patch:
        _die_at(patch, boundary)
        try:
          save(directory, second, 20)
          died = False
        except _Death:
          pass
      restored = make()
      checkpoint.restore_newest(restored, directory)
      assert value(restored) in ((10, 20) if died else (20,))
      left = names(directory)
      assert all(name.startswith('step_') for name in left), left
      boundary += 1
    assert boundary > 8


class _Death(BaseException):
  """Like a kill: no handler of ours may run."""


def _die_at(patch, boundary):
  """Dies before the call of this number, and cleans up nothing after."""
  calls = iter(range(1000))
  dead: list = []

  def guard(owner, name):
    function = getattr(owner, name)

    def guarded(*args, **kwargs):
      if dead or next(calls) == boundary:
        dead.append(1)
        raise _Death
      return function(*args, **kwargs)

    patch.setattr(owner, name, guarded)

  guard(os, 'rename')
  guard(os, 'fsync')
  guard(os, 'rmdir')
  guard(os, 'unlink')
  guard(tf.train.Checkpoint, 'write')
  guard(pathlib.Path, 'mkdir')
  guard(pathlib.Path, 'write_text')
