"""Arrays and metadata in one file, with a digest of both inside.

The file is a plain `.npz` that `numpy.load` reads without pickle. A member
`metadata` holds JSON and a member `digest` the SHA-256 of all the others, so
that an altered file is found out before any of it is interpreted.
"""

from collections.abc import Mapping
import hashlib
import io
import json
import pathlib
from typing import Any, NamedTuple
import zipfile

import numpy as np

from datasets import files, npy, records

_METADATA = 'metadata'
_DIGEST = 'digest'
_SUFFIX = '.npy'


class Content(NamedTuple):
  """What a file of arrays holds.

  Attributes:
    arrays: by name.
    metadata: what JSON can say.
    digest: SHA-256 of both, as 64 hexadecimal digits.
  """

  arrays: dict[str, np.ndarray]
  metadata: dict[str, Any]
  digest: str


def write_arrays(
  path: files.PathLike,
  arrays: Mapping[str, np.ndarray],
  metadata: Mapping[str, Any],
) -> str:
  """Writes a file of arrays whole or not at all, and returns its digest."""
  data, digest = encode(arrays, metadata)
  files.write_bytes(path, data)
  return digest


def read_arrays(
  path: files.PathLike,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
  """The arrays and the metadata of a file.

  Args:
    path: a file that `write_arrays` wrote.

  Returns:
    The arrays and the metadata.

  Raises:
    FileNotFoundError: there is no such file.
    files.DamagedFileError: it is torn, altered, or another kind of file.
  """
  content = decode(pathlib.Path(path).read_bytes(), path)
  return content.arrays, content.metadata


def encode(
  arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> tuple[bytes, str]:
  """The bytes of a file and its digest; equal content gives equal bytes.

  Args:
    arrays: by name; `metadata` and `digest` are taken.
    metadata: what JSON can say.

  Returns:
    The bytes and the digest.

  Raises:
    ValueError: a name is taken, or an array holds Python objects.
  """
  members = _encode_members(arrays, metadata)
  digest = _digest(members)
  members[_DIGEST] = _encode_array(np.frombuffer(digest, np.uint8))
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_STORED) as archive:
    for name, member in sorted(members.items()):
      # The time in ZipInfo's default is constant.
      archive.writestr(zipfile.ZipInfo(name + _SUFFIX), member)
  return buffer.getvalue(), digest.hex()


def digest_of_content(
  arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> str:
  """The digest that `encode` gives."""
  return _digest(_encode_members(arrays, metadata)).hex()


def decode(data: bytes, path: files.PathLike) -> Content:
  """What `encode` put into these bytes.

  Args:
    data: the bytes of a file.
    path: its name, for the error.

  Returns:
    The content, checked.

  Raises:
    files.DamagedFileError: it is torn, altered, or another kind of file.
  """
  if not data:
    raise files.DamagedFileError(path, 'it is empty')
  try:
    members = npy.read_archive(data)
  except ValueError as error:
    raise files.DamagedFileError(path, f'it is torn, or {error}') from error
  stored = members.pop(_DIGEST, None)
  if stored is None or _METADATA not in members:
    raise files.DamagedFileError(path, 'it lacks a digest or metadata')
  digest = _digest(members)
  # The digest is the last thing in its member, whatever its header says.
  if stored[-len(digest) :] != digest:
    raise files.DamagedFileError(path, 'its digest does not match its content')
  # The digest tells of accidents; whoever forges a file can make it fit.
  arrays = {}
  for name, member in members.items():
    try:
      arrays[name] = npy.read_array(member)
    except ValueError as error:
      raise files.DamagedFileError(path, f'{name!r}: {error}') from error
  metadata = records.parse(arrays.pop(_METADATA).tobytes(), path)
  return Content(arrays, metadata, digest.hex())


def _encode_members(
  arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> dict[str, bytes]:
  taken = {_METADATA, _DIGEST} & set(arrays)
  if taken:
    raise ValueError(f'An array cannot be named {sorted(taken)}: rename it.')
  text = json.dumps(metadata, sort_keys=True, allow_nan=False).encode('utf-8')
  members = {name: _encode_array(array) for name, array in arrays.items()}
  members[_METADATA] = _encode_array(np.frombuffer(text, np.uint8))
  return members


def _digest(members: Mapping[str, npy.Bytes]) -> bytes:
  sha = hashlib.sha256()
  for name, member in sorted(members.items()):
    # Lengths first, so that no two contents give the same stream.
    sha.update(f'{len(name.encode())}:{name}:{len(member)}:'.encode())
    sha.update(member)
  return sha.digest()


def _encode_array(array: np.ndarray) -> bytes:
  buffer = io.BytesIO()
  # Version 3, because NumPy reads the header of the others ten times slower.
  # C order, so that equal arrays give equal bytes.
  np.lib.format.write_array(
    buffer, np.asarray(array, order='C'), version=(3, 0), allow_pickle=False
  )
  return buffer.getvalue()
