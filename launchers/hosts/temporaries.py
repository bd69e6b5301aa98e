"""Temporary files of a program, in a directory of its own."""

from collections.abc import Iterator
import contextlib
import errno
import os
from pathlib import Path
import shutil
import tempfile

from datasets import files

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def inside(directory: Path) -> Iterator[None]:
  """Has this process, and those that it starts, keep temporary files there.

  Launchpad's jobs and what TensorFlow makes of our Python are such files, and a
  process that is killed leaves its own behind. So the directory is emptied
  before and afterwards.

  Args:
    directory: made here; nobody else may use it meanwhile.

  Raises:
    OutOfSpaceError: the body found no space, and did not say where.
  """
  # What cannot be removed does no harm: every name in it is a random one.
  shutil.rmtree(directory, ignore_errors=True)
  directory.mkdir(exist_ok=True)
  before = os.environ.get('TMPDIR'), tempfile.tempdir
  os.environ['TMPDIR'] = tempfile.tempdir = str(directory.resolve())
  try:
    yield
  except OSError as error:
    if error.errno not in _FULL or error.filename:
      raise
    raise files.OutOfSpaceError(
      error.errno,
      'No space is left there. Free some and run the same command again',
      str(directory),
    ) from error
  finally:
    if before[0] is None:
      del os.environ['TMPDIR']
    else:
      os.environ['TMPDIR'] = before[0]
    tempfile.tempdir = before[1]
    shutil.rmtree(directory, ignore_errors=True)


def describe(error: BaseException) -> str:
  """The text of an error; of a lack of space, with a place."""
  text = str(error)
  if isinstance(error, OSError) and error.errno in _FULL and not error.filename:
    # What names no file was written by a library, and to a temporary one.
    place = tempfile.gettempdir()
    free = shutil.disk_usage(place).free
    text += (
      f'. Temporary files are written to {place}, where {free:,} bytes are '
      'free: free some, or set TMPDIR to another directory.'
    )
  return text
