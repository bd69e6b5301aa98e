"""Files that are whole or absent, and that say so when they are damaged.

A file is written aside in its own directory, synced, renamed, and then the
directory is synced: a process or a machine that dies at any moment leaves
either the old state or the new one, and perhaps an aside file. The aside file
of a living writer is locked by it; `remove_aside` clears those that nobody
holds.
"""

from collections.abc import Iterator, Mapping
from concurrent import futures
import contextlib
import errno
import fcntl
import functools
import os
import pathlib
import secrets
import shutil
from typing import Union

PathLike = Union[str, 'os.PathLike[str]']

_ASIDE = '.aside'
_AT_ONCE = 16  # Files that are synced.
# Where a writer can die. Tests kill it there, through `boundary_hook`.
BOUNDARIES = ('created', 'written', 'fsynced', 'renamed', 'dir_fsynced')


class OutOfSpaceError(OSError):
  """The file system is full, or a quota is used up."""


class DamagedFileError(Exception):
  """A file is torn, altered or not what its name says.

  Attributes:
    path: the file.
    reason: what is wrong with it.
  """

  def __init__(self, path: PathLike, reason: str):
    self.path = pathlib.Path(path)
    self.reason = reason
    super().__init__(f'{path} is damaged: {reason}')


@contextlib.contextmanager
def advising(remedy: str) -> Iterator[None]:
  """Adds to the reason of a damaged file what a person can do about it."""
  try:
    yield
  except DamagedFileError as error:
    reason = f'{error.reason}; {remedy}'
    raise DamagedFileError(error.path, reason) from error


def boundary_hook(name: str, path: pathlib.Path) -> None:
  """Does nothing; a test puts its own in this place."""


def write_bytes(path: PathLike, data: bytes) -> None:
  """Writes the file whole or not at all; when it returns, it is durable.

  Args:
    path: the file; one that exists is replaced.
    data: its content.

  Raises:
    OutOfSpaceError: nothing was written because the disk is full.
    OSError: nothing was written, for the reason given; or the directory could
      not be synced, and the whole file may not survive a loss of power.
  """
  path = pathlib.Path(path)
  try:
    _put(path, data)
    sync_directory(path.parent)
    boundary_hook('dir_fsynced', path)
  except OSError as error:
    raise _explained(error, path, len(data)) from error


def write_all(contents: Mapping[pathlib.Path, bytes]) -> None:
  """`write_bytes` of many files, in little more time than of one.

  A disk syncs many at once, if it is asked at once.

  Args:
    contents: by path. Each file is whole or absent whatever happens; all are
      durable when this returns.

  Raises:
    OutOfSpaceError, OSError: as `write_bytes`, for the first that failed.
  """
  if len(contents) <= 1:
    for path, data in contents.items():
      write_bytes(path, data)
    return

  def put(path: pathlib.Path) -> None:
    try:
      _put(path, contents[path])
    except OSError as error:
      raise _explained(error, path, len(contents[path])) from error

  # All have ended, before the first that failed is told of.
  futures.wait(done := [_pool(os.getpid()).submit(put, p) for p in contents])
  for one in done:
    one.result()
  for directory in {path.parent for path in contents}:
    sync_directory(directory)


def write_text(path: PathLike, text: str) -> None:
  """`write_bytes` for text, as UTF-8."""
  write_bytes(path, text.encode('utf-8'))


def remove_aside(directory: PathLike) -> list[pathlib.Path]:
  """Clears what dead writers left in a directory; living ones keep theirs.

  Args:
    directory: where to look, not in its subdirectories.

  Returns:
    The files that were removed.
  """
  removed = []
  for aside in sorted(pathlib.Path(directory).glob(f'.*{_ASIDE}')):
    with contextlib.suppress(FileNotFoundError, BlockingIOError):
      descriptor = os.open(aside, os.O_RDWR)
      try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(aside)
        removed.append(aside)
      finally:
        os.close(descriptor)
  return removed


def move(source: PathLike, target: PathLike) -> None:
  """Renames a file durably, across directories of one file system."""
  source, target = pathlib.Path(source), pathlib.Path(target)
  os.replace(source, target)
  for directory in {source.parent, target.parent}:
    sync_directory(directory)


def make_directory(directory: PathLike) -> pathlib.Path:
  """Makes a directory and its parents durably, if they are missing."""
  directory = pathlib.Path(directory)
  missing = [d for d in (directory, *directory.parents) if not d.exists()]
  directory.mkdir(parents=True, exist_ok=True)
  for made in reversed(missing):
    sync_directory(made.parent)
  return directory


def sync_directory(directory: PathLike) -> None:
  """Makes the names in a directory durable."""
  descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


@contextlib.contextmanager
def _aside(path: pathlib.Path) -> Iterator[tuple[int, pathlib.Path]]:
  """A new, locked file beside `path`, which is gone afterwards."""
  descriptor, aside = _open_aside(path)
  try:
    yield descriptor, aside
  except BaseException:
    with contextlib.suppress(OSError):
      os.unlink(aside)  # Already renamed, or failed: no file stays behind.
    raise
  finally:
    os.close(descriptor)


def _open_aside(path: pathlib.Path) -> tuple[int, pathlib.Path]:
  while True:
    # The name is cut so that it fits wherever the file's own name fits.
    name = f'.{path.name[:200]}.{secrets.token_hex(8)}{_ASIDE}'
    aside = path.with_name(name)
    descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
      if os.fstat(descriptor).st_nlink:
        return descriptor, aside
    except BlockingIOError:
      pass
    except BaseException:
      os.close(descriptor)
      raise
    # `remove_aside` was quicker than our lock: it took the file for a dead
    # writer's.
    os.close(descriptor)


@functools.cache
def _pool(process: int) -> futures.ThreadPoolExecutor:
  """Threads of this process, which one that is forked does not have."""
  del process
  return futures.ThreadPoolExecutor(_AT_ONCE, 'files')


def _put(path: pathlib.Path, data: bytes) -> None:
  """Writes a file, whose name is not durable yet."""
  with _aside(path) as (descriptor, aside):
    boundary_hook('created', path)
    _write_to(descriptor, data)
    boundary_hook('written', path)
    os.fsync(descriptor)
    boundary_hook('fsynced', path)
    os.replace(aside, path)
    boundary_hook('renamed', path)


def _write_to(descriptor: int, data: bytes) -> None:
  view = memoryview(data)
  while view:
    view = view[os.write(descriptor, view) :]


def _explained(error: OSError, path: pathlib.Path, size: int) -> OSError:
  """The same error, with the file and what to do about it."""
  if error.errno in (errno.ENOSPC, errno.EDQUOT):
    try:
      free = f'{shutil.disk_usage(path.parent).free:,} bytes are free'
    except OSError:
      free = 'the free space is not known'
    return OutOfSpaceError(
      error.errno,
      f'No space to write {size:,} bytes; {free} (a quota may be lower). '
      'Nothing was written and nothing is lost. Free some space there and '
      'run the same command again',
      str(path),
    )
  # OSError picks the subclass that fits the number.
  return OSError(error.errno, f'Not written: {error.strerror}', str(path))
