"""Archives and arrays in NumPy's formats, whose bytes nobody vouches for.

Every size is compared with the bytes that are there before anything is
allocated, and nothing is ever executed.
"""

import ast
import io
import math
import struct
from typing import Any
import zipfile

import numpy as np

_MAGIC = b'\x93NUMPY'
_MAX_HEADER = 4_096  # Bytes; NumPy's own of plain arrays have about 100.
_MAX_MEMBERS = 10_000
_KINDS = 'biuf'  # Booleans, integers, floats: no objects, no text, no records.


def read_archive(data: bytes) -> dict[str, bytes]:
  """The members of an .npz file that is not compressed, by array name.

  Raises:
    ValueError: it is none, or has a member that is compressed or twice there.
  """
  members: dict[str, bytes] = {}
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
        members[name] = archive.read(entry)
  except ValueError:
    raise
  # Broken archives make zipfile raise nearly anything.
  except Exception as error:
    raise ValueError(f'no archive ({type(error).__name__}: {error})') from error
  return members


def read_array(member: bytes) -> np.ndarray:
  """The array of the bytes of an .npy file, which is the caller's.

  Raises:
    ValueError: they are none, or one of another kind of values than numbers.
  """
  header, start = _header(member)
  try:
    dtype = np.dtype(header['descr'])
    shape, is_fortran = header['shape'], header['fortran_order']
    sizes = [size for size in shape if type(size) is int and size >= 0]
  except (KeyError, TypeError, ValueError, SyntaxError) as error:
    raise ValueError(f'its header is no array ({error})') from error
  if dtype.kind not in _KINDS or dtype.subdtype or len(sizes) != len(shape):
    raise ValueError(f'it is {dtype} of shape {shape}, which are no numbers')
  needed = math.prod(sizes) * dtype.itemsize
  if needed != len(member) - start:
    raise ValueError(
      f'it is {dtype} of shape {shape}, which takes {needed} bytes; there are '
      f'{len(member) - start}'
    )
  flat = np.frombuffer(member, dtype, offset=start)
  return flat.reshape(shape, order='F' if is_fortran else 'C').copy()


def _header(member: bytes) -> tuple[dict[str, Any], int]:
  """What an array's header says, and where its values begin."""
  form = {1: '<H', 2: '<I', 3: '<I'}.get(member[6] if len(member) > 6 else 0)
  if not member.startswith(_MAGIC) or form is None or len(member) < 12:
    raise ValueError('it is no array')
  (length,) = struct.unpack_from(form, member, 8)
  start = 8 + struct.calcsize(form) + length
  if length > _MAX_HEADER or start > len(member):
    raise ValueError(f'its header has {length} bytes')
  try:
    header = ast.literal_eval(member[start - length : start].decode('utf-8'))
  # Foreign text makes the parser raise nearly anything, MemoryError included.
  except Exception as error:
    raise ValueError('its header is no literal') from error
  if not isinstance(header, dict):
    raise ValueError('its header is no dictionary')
  return header, start
