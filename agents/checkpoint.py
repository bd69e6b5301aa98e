"""Checkpoints that are there whole or not at all."""

from collections.abc import Mapping
import errno
import hashlib
import json
import os
import pathlib
import re
import shutil
from typing import Any, NamedTuple

import tensorflow as tf

_NAME = re.compile(r'step_(\d{9,})')
_ASIDE = '.aside_'  # Being written, or being removed.
_REPLACED = '.replaced_'
_DAMAGED = '.damaged'
_STALE = '.stale'
_MANIFEST = 'manifest.json'
_PREFIX = 'checkpoint'
_KEEP = 2


class OutOfSpaceError(OSError):
  """The disk is full; nothing was left behind."""


class Restored(NamedTuple):
  """What `restore_newest` found.

  Attributes:
    step: of the checkpoint that was restored, None when there was none.
    damaged: checkpoints that could not be used, where they are now.
  """

  step: int | None
  damaged: tuple[pathlib.Path, ...]


class _DamagedError(Exception):
  """A checkpoint is torn, altered or empty."""


def save(
  trackables: Mapping[str, Any], directory: str | os.PathLike[str], step: int
) -> pathlib.Path:
  """Writes a checkpoint and drops all but the newest two.

  Those of later steps are of another past: they are set aside as *.stale.

  Args:
    trackables: modules, optimizers and variables by name.
    directory: made when it is not there; one learner writes in it.
    step: learner steps done.

  Returns:
    The checkpoint, a directory.

  Raises:
    OutOfSpaceError: the disk is full; earlier checkpoints are untouched.
  """
  directory = pathlib.Path(directory)
  final = directory / f'step_{step:09d}'
  aside = directory / f'{_ASIDE}{final.name}'
  try:
    directory.mkdir(parents=True, exist_ok=True)
    _tidy(directory)
    aside.mkdir()
    _write(trackables, aside, step)
    _publish(aside, final)
  except (OSError, tf.errors.OpError) as error:
    shutil.rmtree(aside, ignore_errors=True)
    if _is_out_of_space(error):
      raise OutOfSpaceError(
        errno.ENOSPC,
        'No space for a checkpoint; free some and start again. '
        'Earlier checkpoints are untouched',
        str(final),
      ) from error
    raise
  checkpoints = _checkpoints(directory)
  newest = checkpoints.index(final)
  for stale in checkpoints[newest + 1 :]:
    _set_aside(stale, _STALE)
  for old in checkpoints[: max(0, newest + 1 - _KEEP)]:
    _remove(old)
  return final


def restore_newest(
  trackables: Mapping[str, Any], directory: str | os.PathLike[str]
) -> Restored:
  """Restores the newest checkpoint that is whole.

  Whatever is torn, altered or empty is renamed to *.damaged, and the one
  before it is tried.

  Args:
    trackables: as they were saved; every variable must exist already.
    directory: as given to `save`; it need not exist.

  Returns:
    The step restored and the damaged checkpoints.

  Raises:
    ValueError: a whole checkpoint does not fit the trackables.
  """
  directory = pathlib.Path(directory)
  if directory.is_dir():
    _tidy(directory)
  damaged = []
  for path in reversed(_checkpoints(directory)):
    try:
      step = _verify(path)
    except _DamagedError:
      damaged.append(_set_aside(path, _DAMAGED))
      continue
    _restore(trackables, path)
    return Restored(step, tuple(damaged))
  return Restored(None, tuple(damaged))


def _write(
  trackables: Mapping[str, Any], path: pathlib.Path, step: int
) -> None:
  tf.train.Checkpoint(**trackables).write(str(path / _PREFIX))
  digests = {file.name: _digest(file) for file in sorted(path.iterdir())}
  manifest = json.dumps({'step': step, 'files': digests}, indent=2)
  (path / _MANIFEST).write_text(manifest)
  for file in path.iterdir():
    _sync(file)
  _sync(path)


def _publish(aside: pathlib.Path, final: pathlib.Path) -> None:
  """Gives a finished checkpoint its name; `_tidy` undoes half of it."""
  replaced = final.with_name(_REPLACED + final.name)
  if final.exists():  # The same step once more.
    os.rename(final, replaced)
  os.rename(aside, final)
  _sync(final.parent)
  _remove(replaced)


def _tidy(directory: pathlib.Path) -> None:
  """Clears up after a learner that died while it saved."""
  for path in directory.glob(f'{_REPLACED}*'):
    final = directory / path.name.removeprefix(_REPLACED)
    if final.exists():
      _remove(path)
    else:
      os.rename(path, final)
  for path in directory.glob(f'{_ASIDE}*'):
    shutil.rmtree(path)


def _verify(path: pathlib.Path) -> int:
  """The step of a checkpoint that is whole."""
  try:
    manifest = json.loads((path / _MANIFEST).read_text())
    step, expected = manifest['step'], manifest['files']
    found = {f.name: _digest(f) for f in path.iterdir() if f.name != _MANIFEST}
  except (
    FileNotFoundError,
    IsADirectoryError,
    KeyError,
    NotADirectoryError,
    RecursionError,
    TypeError,
    ValueError,
  ) as error:
    raise _DamagedError(str(error)) from error
  number = int(path.name.removeprefix('step_'))
  if type(step) is not int or step != number:
    raise _DamagedError(f'its manifest is of step {step!r}')
  if not expected or found != expected:
    raise _DamagedError('its files are not those of its manifest')
  return number


def _restore(trackables: Mapping[str, Any], path: pathlib.Path) -> None:
  reader = tf.train.Checkpoint(**trackables)
  try:
    # Every value must find its variable and every variable its value.
    reader.read(str(path / _PREFIX)).assert_consumed()
  except (AssertionError, ValueError, tf.errors.OpError) as error:
    raise ValueError(
      f'{path} does not fit what is to be restored; was it written with '
      f'another configuration? {error}'
    ) from error


def _set_aside(path: pathlib.Path, suffix: str) -> pathlib.Path:
  target = path.with_name(path.name + suffix)
  number = 1
  while target.exists():
    number += 1
    target = path.with_name(f'{path.name}.{number}{suffix}')
  os.rename(path, target)
  _sync(path.parent)
  return target


def _checkpoints(directory: pathlib.Path) -> list[pathlib.Path]:
  """Finished checkpoints, oldest first."""
  if not directory.is_dir():
    return []
  found = [
    (int(match.group(1)), path)
    for path in directory.iterdir()
    if (match := _NAME.fullmatch(path.name))
  ]
  return [path for _, path in sorted(found)]


def _digest(path: pathlib.Path) -> str:
  return hashlib.sha256(path.read_bytes()).hexdigest()


def _remove(path: pathlib.Path) -> None:
  """Removes a checkpoint that may not be there; it is never half there."""
  if path.exists():
    aside = path.with_name(f'{_ASIDE}removed_{path.name}')
    os.rename(path, aside)
    shutil.rmtree(aside)


def _sync(path: pathlib.Path) -> None:
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


def _is_out_of_space(error: Exception) -> bool:
  if isinstance(error, OSError):
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
  # TensorFlow reports a full disk in more than one way.
  return isinstance(error, tf.errors.ResourceExhaustedError) or (
    'No space left' in str(error)
  )
