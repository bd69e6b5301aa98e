"""The durable store of episodes: the single truth of a run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import errno
import hashlib
import logging
import pathlib
from typing import NamedTuple, Optional

from datasets import ahead, files, naming, validation
from datasets.naming import file_name as file_name
from datasets.packed import Packed, pack, unpack
from datasets.types import Episode, EpisodeId

_REMEDY = 'restore it, or move it out of there'  # Where nothing sets it aside.
_logger = logging.getLogger(__name__)

Check = Callable[[Episode], None]
"""Raises `validation.EpisodeRefused` for what nothing may learn from."""


class EpisodeConflictError(Exception):
  """Another episode was committed under the same identity."""


class Quarantined(NamedTuple):
  """A file that was taken out of the store.

  Attributes:
    path: where it is now.
    reason: what is wrong with it.
  """

  path: pathlib.Path
  reason: str


class EpisodeStore:
  """A directory of immutable episodes, one file each.

  ```python
  store = EpisodeStore('runs/cheetah/cycles/001/episodes')
  for path, reason in store.quarantine():  # Once, at the start.
    print(f'{path}: {reason}')
  store.commit(episode)  # Durable when it returns.
  for episode in store:  # Sorted by identity.
    ...
  ```

  A file is named after its episode's identity, so committing an episode twice
  changes nothing. Several processes may read while one writes: they `open` it.
  """

  def __init__(self, directory: files.PathLike):
    """Opens the store, and clears what dead writers left in it.

    Args:
      directory: made if it is missing.
    """
    self._directory = files.make_directory(directory)
    # By file name: its (inode, time, size) and the digest that was verified.
    self._verified: dict[str, tuple[tuple[int, int, int], str]] = {}
    files.remove_aside(self._directory)

  @classmethod
  def open(cls, directory: files.PathLike) -> 'EpisodeStore':
    """A store that is there, to be read: nothing is made or cleared.

    Raises:
      FileNotFoundError: there is no such directory, or only others in it hold
        episodes; names them.
    """
    path = pathlib.Path(directory)
    if not path.is_dir():
      what = 'It is a file' if path.is_file() else 'There is no such directory'
      reason = f'{what}; name a directory of episodes'
      raise FileNotFoundError(errno.ENOENT, reason, str(directory))
    store = cls.__new__(cls)
    store._directory, store._verified = path, {}
    naming.check_holds_episodes(path)
    return store

  @property
  def directory(self) -> pathlib.Path:
    """Where the files are."""
    return self._directory

  def commit(self, episode: Episode) -> str:
    """Keeps an episode for good.

    Args:
      episode: a whole episode, checked by the caller.

    Returns:
      The digest of its content.

    Raises:
      EpisodeConflictError: another content has this identity already.
      files.OutOfSpaceError: the disk is full; nothing was written.
    """
    packed = pack(episode)
    self.commit_all([packed])
    return packed.digest

  def commit_all(self, episodes: Sequence[Packed]) -> None:
    """`commit` of many, in little more time than of one.

    Raises:
      EpisodeConflictError: another content has this identity already, or two
        of them have one; nothing was written.
      files.OutOfSpaceError: the disk is full; some may have been written.
    """
    new: dict[pathlib.Path, Packed] = {}
    for packed in episodes:
      identity, digest = packed.episode.identity, packed.digest
      path = self._path(identity)
      kept = self._kept_digest(identity, path)
      if kept is None:
        kept = new.setdefault(path, packed).digest
      if kept != digest:
        raise EpisodeConflictError(
          f'{path} holds {identity} with content {kept}, and another one with '
          f'content {digest} was to be committed. Identities are used once: '
          'give a new run another name.'
        )
    files.write_all({path: packed.data for path, packed in new.items()})
    for path, packed in new.items():
      self._remember(path, packed.digest)

  def discard(self, identity: EpisodeId) -> None:
    """Forgets an episode that is kept elsewhere by now."""
    path = self._path(identity)
    path.unlink(missing_ok=True)
    self._verified.pop(path.name, None)

  def read(self, identity: EpisodeId) -> Episode:
    """The episode of `read_packed`."""
    return self.read_packed(identity).episode

  def read_packed(self, identity: EpisodeId) -> Packed:
    """An episode with its file, checked against its digest.

    Args:
      identity: of the episode.

    Returns:
      The episode.

    Raises:
      KeyError: it was never committed.
      files.DamagedFileError: its file is torn or altered.
    """
    path = self._path(identity)
    try:
      with files.advising(_REMEDY):
        return self._read(identity, path)
    except FileNotFoundError:
      raise KeyError(f'{identity} is not in {self._directory}.') from None

  def identities(self) -> list[EpisodeId]:
    """Of every episode, sorted; no file is read."""
    return sorted(self._paths())

  def digests(
    self, only: Optional[Iterable[EpisodeId]] = None
  ) -> dict[EpisodeId, str]:
    """The digests of episodes, sorted by identity.

    A file is read the first time only; files are immutable.

    Args:
      only: these; None: all.

    Raises:
      files.DamagedFileError: a file is torn or altered: call `quarantine`.
    """
    wanted = self.identities() if only is None else sorted(only)
    with files.advising(_REMEDY):
      return {i: self._digest(i, self._path(i)) for i in wanted}

  def quarantine(self, check: Optional[Check] = None) -> list[Quarantined]:
    """Reads every file and moves the bad ones out of the way.

    Args:
      check: what a file's episode must pass; None: the file must be whole.

    Returns:
      The files that were moved, with what is wrong with them.
    """
    files.remove_aside(self._directory)
    moved = []
    for path in sorted(self._directory.glob('*.npz')):
      try:
        identity = naming.identity_of(path)
        if check is None:
          self._digest(identity, path)
        else:
          check(self._read(identity, path).episode)
      except files.DamagedFileError as error:
        moved.append(self._set_aside(path, error.reason))
      except validation.EpisodeRefused as error:
        moved.append(self._set_aside(path, str(error)))
    return moved

  def checked(
    self, check: Check, only: Optional[Iterable[EpisodeId]] = None
  ) -> Iterator[Episode]:
    """Episodes that pass a check, sorted by identity.

    A few are read ahead, beside whoever takes them.

    Args:
      check: what they must pass.
      only: these; None: all.

    Raises:
      validation.EpisodeRefused: one does not pass; names its file.
    """
    wanted = self.identities() if only is None else sorted(only)
    read = ahead.in_order(self.read, wanted)
    # Its own identity may be what is wrong with it.
    for identity, episode in zip(wanted, read, strict=True):
      try:
        check(episode)
      except validation.EpisodeRefused as error:
        path = self._path(identity)
        raise validation.EpisodeRefused(f'{path}: {error}') from error
      yield episode

  def __iter__(self) -> Iterator[Episode]:
    """Every episode, sorted by identity."""
    for identity, path in sorted(self._paths().items()):
      yield self._read(identity, path).episode

  def __len__(self) -> int:
    return len(self._paths())

  def __contains__(self, identity: object) -> bool:
    return isinstance(identity, EpisodeId) and self._path(identity).exists()

  def _path(self, identity: EpisodeId) -> pathlib.Path:
    return self._directory / file_name(identity)

  def _paths(self) -> dict[EpisodeId, pathlib.Path]:
    paths = self._directory.glob('*.npz')
    with files.advising(_REMEDY):
      return {naming.identity_of(path): path for path in paths}

  def _read(self, identity: EpisodeId, path: pathlib.Path) -> Packed:
    packed = unpack(path.read_bytes(), path)
    found = packed.episode.identity
    if found != identity:
      raise files.DamagedFileError(path, f'it holds {found}')
    self._remember(path, packed.digest)
    return packed

  def _digest(self, identity: EpisodeId, path: pathlib.Path) -> str:
    verified = self._verified.get(path.name)
    if verified is None or verified[0] != _stamp(path):
      self._read(identity, path)
    return self._verified[path.name][1]

  def _remember(self, path: pathlib.Path, digest: str) -> None:
    self._verified[path.name] = (_stamp(path), digest)

  def _kept_digest(
    self, identity: EpisodeId, path: pathlib.Path
  ) -> Optional[str]:
    """The digest of what the store holds there, if that is whole."""
    try:
      return self._digest(identity, path)
    except FileNotFoundError:
      return None
    except files.DamagedFileError as error:
      moved = self._set_aside(path, error.reason)
      _logger.warning('%s; it was moved to %s.', error, moved.path)
      return None

  def _set_aside(self, path: pathlib.Path, reason: str) -> Quarantined:
    directory = files.make_directory(self._directory / naming.QUARANTINE)
    before = sum(p.name.startswith(path.name) for p in directory.iterdir())
    target = directory / (f'{path.name}.{before}' if before else path.name)
    files.move(path, target)
    self._verified.pop(path.name, None)
    return Quarantined(target, reason)


def digest_of(digests: Mapping[EpisodeId, str]) -> str:
  """One digest of a set of episodes, whatever their order."""
  sha = hashlib.sha256()
  for identity, digest in sorted(digests.items()):
    sha.update(f'{file_name(identity)} {digest}\n'.encode())
  return sha.hexdigest()


def _stamp(path: pathlib.Path) -> tuple[int, int, int]:
  status = path.stat()
  return status.st_ino, status.st_mtime_ns, status.st_size
