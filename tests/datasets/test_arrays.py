"""Files of arrays: what is written is read, and nothing else is."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from datasets import arrays
from datasets.files import DamagedFileError

_NAMES = st.text(min_size=1, max_size=8).filter(
  lambda name: name not in ('metadata', 'digest') and _is_plain(name)
)
_ARRAYS = st.dictionaries(
  _NAMES,
  hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
  ),
  max_size=4,
)
_METADATA = st.dictionaries(
  st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none()
)
ONE = {'a': np.arange(12, dtype=np.float32).reshape(3, 4)}


def _is_plain(name):
  # Zip files end a name at a zero byte; ours are identifiers anyway.
  return name.isidentifier()


def _equal(left, right):
  assert left.keys() == right.keys()
  for name, array in left.items():
    assert array.dtype == right[name].dtype
    assert array.shape == right[name].shape
    assert array.tobytes() == right[name].tobytes()


@given(_ARRAYS, _METADATA)
@settings(max_examples=60, deadline=None)
def test_round_trip(content, metadata):
  data, digest = arrays.encode(content, metadata)
  decoded = arrays.decode(data, 'file')
  _equal(content, decoded.arrays)
  assert decoded.metadata == metadata
  assert decoded.digest == digest
  assert arrays.digest_of_content(content, metadata) == digest
  assert arrays.encode(content, metadata) == (data, digest)


def test_numpy_reads_it(tmp_path):
  path = tmp_path / 'file.npz'
  digest = arrays.write_arrays(path, ONE, {'x': 1})
  with np.load(path, allow_pickle=False) as archive:
    np.testing.assert_array_equal(archive['a'], ONE['a'])
    assert archive['digest'].tobytes().hex() == digest
  read, metadata = arrays.read_arrays(path)
  _equal(ONE, read)
  assert metadata == {'x': 1}


def test_layout_does_not_matter():
  for other in (np.asfortranarray(ONE['a']), np.tile(ONE['a'], 2)[:, :4]):
    assert arrays.encode({'a': other}, {}) == arrays.encode(ONE, {})


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_altered_byte_goes_unseen(draw):
  """What is not covered by the digest does not change the content."""
  data, digest = arrays.encode(ONE, {'x': 1})
  where = draw.draw(st.integers(0, len(data) - 1))
  bits = draw.draw(st.integers(1, 255))
  altered = bytearray(data)
  altered[where] ^= bits
  try:
    content = arrays.decode(bytes(altered), 'file')
  except DamagedFileError:
    return
  _equal(ONE, content.arrays)
  assert content.metadata == {'x': 1}
  assert content.digest == digest


def test_no_torn_file_is_read():
  data, _ = arrays.encode(ONE, {})
  for size in range(len(data)):
    with pytest.raises(DamagedFileError):
      arrays.decode(data[:size], 'file')


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_no_other_bytes_are_read(data):
  with pytest.raises(DamagedFileError, match='file is damaged'):
    arrays.decode(data, 'file')


def _archive(**members):
  buffer = io.BytesIO()
  np.savez(buffer, **members)
  return buffer.getvalue()


@pytest.mark.parametrize(
  ('data', 'reason'),
  [
    (b'', 'empty'),
    (_archive(a=np.zeros(3)), 'lacks a digest'),
    (
      _archive(a=np.zeros(3), metadata=np.zeros(2), digest=np.zeros(32)),
      'does not match',
    ),
    (
      _archive(a=np.array([{}]), metadata=np.zeros(2), digest=np.zeros(32)),
      'does not match',
    ),
  ],
)
def test_says_what_is_wrong(data, reason):
  with pytest.raises(DamagedFileError, match=reason):
    arrays.decode(data, 'file')


def test_a_swap_of_names_is_seen():
  two = {'a': np.zeros(3), 'b': np.ones(3)}
  data, _ = arrays.encode(two, {})
  assert arrays.encode({'a': two['b'], 'b': two['a']}, {})[1] != (
    arrays.decode(data, 'file').digest
  )


@pytest.mark.parametrize('name', ['metadata', 'digest'])
def test_refuses_taken_names(name):
  with pytest.raises(ValueError, match='rename it'):
    arrays.encode({name: np.zeros(1)}, {})


def test_refuses_objects():
  with pytest.raises(ValueError, match='allow_pickle'):
    arrays.encode({'a': np.array([{}])}, {})


def test_refuses_numbers_that_json_lacks():
  with pytest.raises(ValueError, match='JSON'):
    arrays.encode({}, {'x': float('nan')})
