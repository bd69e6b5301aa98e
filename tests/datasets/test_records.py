"""Records from anyone: an object, or one named error."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from datasets import records
from datasets.files import DamagedFileError


def test_reads_an_object(tmp_path):
  path = tmp_path / 'record.json'
  path.write_text('{"a": [1, null, "ü"]}', encoding='utf-8')
  assert records.read(path) == {'a': [1, None, 'ü']}


@pytest.mark.parametrize(
  ('data', 'message'),
  [
    (b'3', 'holds 3 where a JSON object stood'),
    (b'[]', r'holds \[\] where'),
    (b'{"a": 1', 'no JSON: .*line 1 column'),
    (b'', 'no JSON'),
    (b'{"a": "\xff"}', 'no UTF-8 at byte 7'),
    (b'[' * 200_000, 'nested too deep'),
    (b'"' + b'x' * 100_000 + b'"', r"holds 'x{99}…"),
  ],
)
def test_anything_else_is_named(tmp_path, data, message):
  path = tmp_path / 'record.json'
  path.write_bytes(data)
  with pytest.raises(DamagedFileError, match=message) as error:
    records.read(path)
  assert str(path) in str(error.value)
  assert len(str(error.value)) < 1_000


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data):
  try:
    assert isinstance(records.parse(data, 'file'), dict)
  except DamagedFileError as error:
    assert error.reason  # noqa: PT017  (Either outcome is right.)
