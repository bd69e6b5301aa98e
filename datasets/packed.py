"""An episode beside the bytes of its file, which are made and read once."""

from typing import NamedTuple

from datasets import arrays, encoding, files
from datasets.types import Episode


class Packed(NamedTuple):
  """An episode on its way.

  Attributes:
    episode: what is in the file.
    data: the file.
    digest: of its content.
  """

  episode: Episode
  data: bytes
  digest: str


def pack(episode: Episode) -> Packed:
  """An episode with its file; equal episodes have equal ones."""
  return Packed(episode, *arrays.encode(*encoding.to_arrays(episode)))


def unpack(data: bytes, path: files.PathLike) -> Packed:
  """The episode of a file, whose content is not checked (see `validation`).

  Args:
    data: the file, of anyone.
    path: its name, for the error.

  Raises:
    files.DamagedFileError: it is torn, altered, or holds no episode.
  """
  content = arrays.decode(data, path)
  try:
    episode = encoding.from_arrays(content.arrays, content.metadata)
  except (ValueError, TypeError) as error:
    raise files.DamagedFileError(path, str(error)) from error
  return Packed(episode, data, content.digest)


def digest_of_episode(episode: Episode) -> str:
  """The digest that `pack` gives, without a file."""
  return arrays.digest_of_content(*encoding.to_arrays(episode))
