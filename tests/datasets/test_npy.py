"""Archives and arrays from anyone: read, or refused before they are big."""

import io
import struct
from typing import Any
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from datasets import npy

KINDS: list[Any] = [np.float32, np.float64, np.int64, np.uint8, np.bool_, '>f4']


def saved(array: np.ndarray, version: tuple[int, int]) -> bytes:
  buffer = io.BytesIO()
  np.lib.format.write_array(buffer, array, version)
  return buffer.getvalue()


def forged(header: str, data: bytes = b'') -> bytes:
  text = header.encode()
  return b'\x93NUMPY\x03\x00' + struct.pack('<I', len(text)) + text + data


@given(
  hnp.arrays(st.sampled_from(KINDS), hnp.array_shapes(min_dims=0, min_side=0)),
  st.sampled_from([(1, 0), (2, 0), (3, 0)]),
  st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_reads_what_numpy_writes(array, version, is_fortran):
  array = np.asfortranarray(array) if is_fortran else array
  read = npy.read_array(saved(array, version))
  assert (read.dtype, read.shape) == (array.dtype, array.shape)
  assert read.tobytes() == array.tobytes()
  assert read.flags.writeable


@pytest.mark.parametrize(
  ('header', 'message'),
  [
    (
      "{'descr': '|S0', 'fortran_order': False, 'shape': (1099511627776,)}",
      'no numbers',
    ),
    ("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 'no numbers'),
    ("{'descr': '<U1', 'fortran_order': False, 'shape': ()}", 'no numbers'),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}",
      'takes 4398046511104 bytes; there are 0',
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 0)}", 'no num'),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}", 'no num'),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': 3}", 'no array'),
    ("{'descr': '<f4', 'fortran_order': False}", 'no array'),
    ("{'descr': 'nonsense', 'fortran_order': False, 'shape': ()}", 'no array'),
    (
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
      'no numbers',
    ),
    ('[' * 4_000, 'no literal'),
    ("__import__('os').abort()", 'no literal'),
    ('3', 'no dictionary'),
    (' ' * 5_000, 'header has 5000 bytes'),
  ],
)
def test_a_forged_header_is_refused(header, message):
  with pytest.raises(ValueError, match=message):
    npy.read_array(forged(header))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_anything_else_is_a_value_error(data):
  for read in (npy.read_array, npy.read_archive):
    with pytest.raises(ValueError, match=r'.'):
      read(data)
  with pytest.raises(ValueError, match=r'.'):
    npy.read_array(b'\x93NUMPY' + data)


def test_no_member_is_read_twice_or_unpacked():
  for compression, names, message in (
    (zipfile.ZIP_DEFLATED, ['a.npy'], 'compressed'),
    (zipfile.ZIP_STORED, ['a.npy', 'a'], 'twice'),
    (zipfile.ZIP_STORED, [f'{i}.npy' for i in range(10_001)], '10001 members'),
  ):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', compression) as archive:
      for name in names:
        archive.writestr(name, b'0' * 10)
    with pytest.raises(ValueError, match=message):
      npy.read_archive(buffer.getvalue())


def archive(name: str = 'a.npy') -> bytearray:
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w') as file:
    file.writestr(name, b'0123456789')
  return bytearray(buffer.getvalue())


def test_members_are_those_that_zipfile_reads():
  for name in ('a.npy', 'ä.npy'):
    data = bytes(archive(name))
    assert npy.read_archive(data) == {name.removesuffix('.npy'): b'0123456789'}
  # Something before it moves all of it.
  assert npy.read_archive(b'before' + data) == {'ä': b'0123456789'}


@given(st.integers(0, len(archive()) - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_an_altered_archive_holds_the_same_or_nothing(position, change):
  """Under the name of the member, or under another where that was altered."""
  data = archive()
  data[position] ^= change
  try:
    members = npy.read_archive(bytes(data))
  except ValueError:
    return
  assert [bytes(member) for member in members.values()] in ([b'0123456789'], [])


@pytest.mark.parametrize(
  ('position', 'values', 'message'),
  [
    (0, b'PK\x03\x05', 'not where it should be'),
    (30, b'b', 'not where it should be'),
    (40, b'2', 'is altered'),
    # In the directory, which begins at 45: flags, and the two sizes.
    (53, b'\x01', 'is encrypted'),
    (53, b'\x40', 'is encrypted'),
    (65, b'\x09', 'is cut'),
    (69, b'\x0b', 'is cut'),
    (65, b'\xff\0\0\0\xff', 'is cut'),
  ],
)
def test_a_forged_entry_is_refused(position, values, message):
  data = archive()
  data[position : position + len(values)] = values
  with pytest.raises(ValueError, match=message):
    npy.read_archive(bytes(data))
