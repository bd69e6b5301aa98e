"""How the files of episodes are named: after their identities."""

import os
import pathlib
import re
import urllib.parse

from datasets import files, validation
from datasets.types import EpisodeId

_NAME = re.compile(r'(.+)-(\d{3,})-(\d{3,})-(\d{6,})\.npz', re.ASCII)
QUARANTINE = 'quarantine'
"""The folder, in a directory of episodes, of files that are none."""
_MAX_NAME = 255  # Bytes, on every Linux file system.
_FEW = 5  # Of directories, in an error's message.


def file_name(identity: EpisodeId) -> str:
  """The name of an episode's file; every identity has its own.

  Args:
    identity: of the episode.

  Returns:
    The name, without a directory.

  Raises:
    ValueError: the identity can name no file.
  """
  validation.check_identity(identity)
  run = urllib.parse.quote(identity.run, safe='')
  name = f'{run}-{identity[1]:03d}-{identity[2]:03d}-{identity[3]:06d}.npz'
  if len(name) > _MAX_NAME:
    raise ValueError(
      f'The run name {identity.run!r} makes the file name {len(name)} bytes '
      f'long; the bound is {_MAX_NAME}. Choose a shorter one.'
    )
  return name


def is_episode(path: pathlib.Path) -> bool:
  """Whether a file has the name of an episode."""
  return _NAME.fullmatch(path.name) is not None


def directories_below(directory: pathlib.Path) -> list[pathlib.Path]:
  """The directories below one that hold episodes, sorted."""
  return sorted(
    pathlib.Path(below)
    # Unlike glob, it bears that a run which goes on removes directories.
    for below, _, names in os.walk(directory)
    if pathlib.Path(below).name != QUARANTINE
    and any(_NAME.fullmatch(name) for name in names)
  )


def identity_of(path: pathlib.Path) -> EpisodeId:
  """The identity that a file is named after.

  Raises:
    files.DamagedFileError: it is named after none.
  """
  reason = 'its name is not that of an episode'
  match = _NAME.fullmatch(path.name)
  if match is None:
    raise files.DamagedFileError(path, reason)
  run = urllib.parse.unquote(match[1])
  identity = EpisodeId(run, int(match[2]), int(match[3]), int(match[4]))
  try:
    is_ours = file_name(identity) == path.name
  except ValueError as error:  # Of a run that no run can be named.
    raise files.DamagedFileError(path, reason) from error
  if not is_ours:
    raise files.DamagedFileError(path, reason)
  return identity


def check_holds_episodes(directory: pathlib.Path) -> None:
  """Refuses a directory whose episodes are further below, as a run's are.

  Raises:
    FileNotFoundError: only others in it hold episodes; names them.
  """
  if any(map(is_episode, directory.glob('*.npz'))):
    return
  below = directories_below(directory)
  if below:
    names = ', '.join(map(str, below[:_FEW]))
    more = ', …' * (len(below) > _FEW)
    raise FileNotFoundError(
      f'{directory} holds no episodes itself; name one or several of '
      f'{names}{more}'
    )
