"""Temporary files of a program, in a directory of its own."""

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
import shutil
import tempfile


@contextlib.contextmanager
def inside(directory: Path) -> Iterator[None]:
  """Has this process, and those that it starts, keep temporary files there.

  Launchpad's jobs and what TensorFlow makes of our Python are such files, and a
  process that is killed leaves its own behind. So the directory is emptied
  before and afterwards.

  Args:
    directory: made here; nobody else may use it meanwhile.
  """
  # What cannot be removed does no harm: every name in it is a random one.
  shutil.rmtree(directory, ignore_errors=True)
  directory.mkdir(exist_ok=True)
  before = os.environ.get('TMPDIR'), tempfile.tempdir
  os.environ['TMPDIR'] = tempfile.tempdir = str(directory.resolve())
  try:
    yield
  finally:
    if before[0] is None:
      del os.environ['TMPDIR']
    else:
      os.environ['TMPDIR'] = before[0]
    tempfile.tempdir = before[1]
    shutil.rmtree(directory, ignore_errors=True)
