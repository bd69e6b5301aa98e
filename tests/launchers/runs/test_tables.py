"""CSV tables that a kill can cut anywhere."""

import errno
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from datasets import files
from datasets.files import OutOfSpaceError
from launchers.runs.tables import Table

COLUMNS = ('phase', 'step', 'loss')


def table(path: Path) -> Table:
  return Table(path, COLUMNS, ('phase', 'step'))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 6), cut=st.integers(0, 12))
def test_a_cut_file_loses_only_its_last_row(
  tmp_path_factory: pytest.TempPathFactory, rows: int, cut: int
) -> None:
  path = tmp_path_factory.mktemp('table') / 'metrics.csv'
  whole = table(path)
  for step in range(rows):
    assert whole.add({'phase': 'learn', 'step': step, 'loss': step / 7})
  data = path.read_bytes()
  path.write_bytes(data[: max(len('phase,step,loss\n'), len(data) - cut)])
  again = table(path)
  assert [int(row['step']) for row in again.rows] == list(
    range(len(again.rows))
  )
  for step in range(rows):
    again.add({'phase': 'learn', 'step': step, 'loss': step / 7})
  assert path.read_bytes() == data


def test_a_key_counts_once(tmp_path: Path) -> None:
  metrics = table(tmp_path / 'metrics.csv')
  assert metrics.add({'phase': 'clone', 'step': 1, 'loss': 1.0})
  assert not metrics.add({'phase': 'clone', 'step': 1, 'loss': 2.0})
  assert metrics.add({'phase': 'learn', 'step': 1})
  assert [row['loss'] for row in metrics.rows] == ['1', '']


def test_a_full_disk_has_a_name(tmp_path: Path) -> None:
  metrics = table(tmp_path / 'metrics.csv')
  full = OSError(errno.ENOSPC, 'No space left on device')
  with (
    mock.patch.object(Path, 'open', side_effect=full),
    pytest.raises(OutOfSpaceError, match='same command'),
  ):
    metrics.add({'phase': 'clone', 'step': 1})


@pytest.mark.parametrize(
  'text',
  [
    b'step,loss\n1,\xff\n',
    b'step,loss\n1,2,3\n',
    b'step,loss\n1\n',
    b'loss\n1\n',
    b'step,loss\n1,"2\n3,4\n',
    b'step,loss\n1,"2"x\n',
    b'step,loss\n\x001,2\n',
  ],
)
def test_what_is_no_table_is_named(tmp_path: Path, text: bytes) -> None:
  path = tmp_path / 'metrics.csv'
  path.write_bytes(text)
  with pytest.raises(files.DamagedFileError, match=r'metrics\.csv.*remove it'):
    Table(path, ('step', 'loss'), ('step',))
  assert path.read_bytes() == text
