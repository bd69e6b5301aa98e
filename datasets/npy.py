"""Archives and arrays in NumPy's formats, whose bytes nobody vouches for.

Every size is compared with the bytes that are there before anything is
allocated, and nothing is ever executed.
"""

import ast
import functools
import io
import math
import struct
from typing import Any, Union
import zipfile
import zlib

import numpy as np

_MAGIC = b'\x93NUMPY'
_MAX_HEADER = 4_096  # Bytes; NumPy's own of plain arrays have about 100.
_MAX_MEMBERS = 10_000
_LOCAL = struct.Struct('<4s22xHH')  # What stands before an entry's name.
_ENCRYPTED = 0x41  # Flags: by a password, or strongly.
_UTF8 = 0x800  # Flag: so is the name.
_KINDS = 'biuf'  # Booleans, integers, floats: no objects, no text, no records.


Bytes = Union[bytes, memoryview]


def read_archive(data: bytes) -> dict[str, memoryview]:
  """The members of an .npz file that is not compressed, by array name.

  They are parts of the data, and no copies.

  Raises:
    ValueError: it is none, or has a member that is compressed or twice there.
  """
  members: dict[str, memoryview] = {}
  try:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
      entries = archive.infolist()
      if len(entries) > _MAX_MEMBERS:
        raise ValueError(
          f'it has {len(entries)} members; the bound is {_MAX_MEMBERS}'
        )
      for entry in entries:
        name = entry.filename.removesuffix('.npy')
        # What is not compressed is never larger than the file.
        if entry.compress_type != zipfile.ZIP_STORED:
          raise ValueError(f'its entry {entry.filename!r} is compressed')
        if name in members:
          raise ValueError(f'its entry {entry.filename!r} is there twice')
        members[name] = _stored(data, entry)
  except ValueError:
    raise
  # Broken archives make zipfile raise nearly anything.
  except Exception as error:
    raise ValueError(
      f'no archive, or one that is cut off ({error}): copy it again from where '
      'it was made'
    ) from error
  return members


def _stored(data: bytes, entry: zipfile.ZipInfo) -> memoryview:
  """What an entry of an archive holds, which is not compressed.

  `ZipFile.read` copies it piece by piece, and takes several times as long.
  """
  start = entry.header_offset
  magic, name_length, extra_length = _LOCAL.unpack_from(data, start)
  start += _LOCAL.size
  encoding = 'utf-8' if entry.flag_bits & _UTF8 else 'cp437'
  name = data[start : start + name_length].decode(encoding)
  start += name_length + extra_length
  member = memoryview(data)[start : start + entry.file_size]
  if magic != b'PK\x03\x04' or name != entry.orig_filename:
    raise ValueError(f'its entry {entry.filename!r} is not where it should be')
  if entry.flag_bits & _ENCRYPTED:
    raise ValueError(f'its entry {entry.filename!r} is encrypted')
  if entry.compress_size != entry.file_size or len(member) < entry.file_size:
    raise ValueError(f'its entry {entry.filename!r} is cut')
  if zlib.crc32(member) != entry.CRC:
    raise ValueError(f'its entry {entry.filename!r} is altered')
  return member


def read_array(member: Bytes) -> np.ndarray:
  """The array of the bytes of an .npy file, which is the caller's.

  Raises:
    ValueError: they are none, or one of another kind of values than numbers.
  """
  form = {1: '<H', 2: '<I', 3: '<I'}.get(member[6] if len(member) > 6 else 0)
  if member[: len(_MAGIC)] != _MAGIC or form is None or len(member) < 12:
    raise ValueError('it is no array')
  (length,) = struct.unpack_from(form, member, 8)
  start = 8 + struct.calcsize(form) + length
  if length > _MAX_HEADER or start > len(member):
    raise ValueError(f'its header has {length} bytes')
  dtype, shape, is_fortran = _parse_header(
    bytes(member[start - length : start])
  )
  needed = math.prod(shape) * dtype.itemsize
  if needed != len(member) - start:
    raise ValueError(
      f'it is {dtype} of shape {shape}, which takes {needed} bytes; there are '
      f'{len(member) - start}'
    )
  flat = np.frombuffer(member, dtype, offset=start)
  return flat.reshape(shape, order='F' if is_fortran else 'C').copy()


# Parsing takes longer than the rest of reading a small array, and the episodes
# of a log have the same few headers.
@functools.lru_cache(maxsize=256)
def _parse_header(text: bytes) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
  """The type and the shape that a header says, and whether it is Fortran's."""
  try:
    header = ast.literal_eval(text.decode('utf-8'))
  # Foreign text makes the parser raise nearly anything, MemoryError included.
  except Exception as error:
    raise ValueError('its header is no literal') from error
  if not isinstance(header, dict):
    raise ValueError('its header is no dictionary')
  try:
    dtype = np.dtype(header['descr'])
    shape, is_fortran = header['shape'], header['fortran_order']
    sizes = tuple(size for size in shape if type(size) is int and size >= 0)
  except (KeyError, TypeError, ValueError, SyntaxError) as error:
    raise ValueError(f'its header is no array ({error})') from error
  if dtype.kind not in _KINDS or dtype.subdtype or len(sizes) != len(shape):
    raise ValueError(f'it is {dtype} of shape {shape}, which are no numbers')
  return dtype, sizes, bool(is_fortran)
