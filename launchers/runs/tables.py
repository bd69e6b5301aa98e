"""Numbers over time: a CSV that survives a kill, and TensorBoard events."""

from collections.abc import Mapping, Sequence
import csv
import errno
import io
import os
from pathlib import Path
import sys
import time
import types
from typing import NamedTuple, Optional, Union

# TensorBoard's own switch to write events without importing TensorFlow.
sys.modules.setdefault(
  'tensorboard.compat.notf', types.ModuleType('tensorboard.compat.notf')
)
from tensorboard.compat.proto import event_pb2, summary_pb2  # noqa: E402
from tensorboard.summary.writer import event_file_writer  # noqa: E402

from datasets import files  # noqa: E402

Cell = Union[str, int, float]


class Content(NamedTuple):
  """What is in a file of a table.

  Attributes:
    columns: their names, () of an empty file.
    rows: cells by column.
    whole: the text, without an unfinished last line.
    is_whole: whether there was no such line.
  """

  columns: tuple[str, ...]
  rows: list[dict[str, str]]
  whole: str
  is_whole: bool


def read(path: Path, needed: Sequence[str] = ()) -> Content:
  """Reads a table; changes nothing.

  Args:
    path: of the file.
    needed: columns that it has, if it has any row.

  Raises:
    FileNotFoundError: there is no such file.
    files.DamagedFileError: it is no table; names the line.
  """
  try:
    text = path.read_text(encoding='utf-8')
    whole = text[: text.rfind('\n') + 1]
    reader = csv.DictReader(io.StringIO(whole), strict=True)
    columns = tuple(reader.fieldnames or ())
    rows = list(reader)
    if len(set(columns)) < len(columns):
      raise csv.Error('two columns are of one name')
  except (UnicodeDecodeError, csv.Error) as error:
    raise files.DamagedFileError(
      path, f'it is no CSV ({error}); restore it, or remove it'
    ) from error
  for number, row in enumerate(rows, 2):
    if None in row or None in row.values() or not {*needed} <= row.keys():
      raise files.DamagedFileError(
        path, f'line {number} is no row; restore it, or remove it'
      )
  return Content(columns, rows, whole, whole == text)


class Table:
  """An append-only CSV whose rows have a key, each key at most once.

  A half-written last line, which a kill can leave, is dropped when the table
  is opened. A row may bring columns that no row before it had.
  """

  def __init__(self, path: Path, columns: Sequence[str], keys: Sequence[str]):
    """Opens the table, or makes it.

    Args:
      path: of the file.
      columns: those that it has from the start.
      keys: the columns whose values tell rows apart.

    Raises:
      files.DamagedFileError: what is there is no such table.
    """
    self._path = path
    self._columns = tuple(columns)
    self._keys = tuple(keys)
    self.rows: list[dict[str, str]] = []
    found = read(path, keys) if path.exists() else None
    if found is not None:
      self._columns = found.columns or self._columns
      self.rows = found.rows
    if found is None or not found.is_whole:
      self._rewrite()
    self._known = {self._key(row) for row in self.rows}

  def add(self, row: Mapping[str, Cell]) -> bool:
    """Appends `row`; a row whose key is there already changes nothing."""
    new = [name for name in row if name not in self._columns]
    if new:
      self._columns += tuple(new)
      self._rewrite()
    cells = {name: _cell(row.get(name, '')) for name in self._columns}
    key = self._key(cells)
    if key in self._known:
      return False
    try:
      with self._path.open('a', encoding='utf-8') as file:
        self._writer(file).writerow(cells)
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
      if error.errno == errno.ENOSPC:
        raise files.OutOfSpaceError(
          errno.ENOSPC,
          'No space for another row. Free some and run the same command again',
          str(self._path),
        ) from error
      raise
    self.rows.append(cells)
    self._known.add(key)
    return True

  def sync(self) -> None:
    """Makes its rows durable, for whoever drops what they were made of."""
    with self._path.open('rb') as file:
      os.fsync(file.fileno())

  def keep(self, rows: list[dict[str, str]]) -> None:
    """Replaces the table by some of its rows."""
    if len(rows) != len(self.rows):
      self.rows = rows
      self._known = {self._key(row) for row in rows}
      self._rewrite()

  def _key(self, row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[key] for key in self._keys)

  def _writer(self, file: io.TextIOBase) -> 'csv.DictWriter[str]':
    return csv.DictWriter(file, self._columns, lineterminator='\n')

  def _rewrite(self) -> None:
    buffer = io.StringIO()
    writer = self._writer(buffer)
    writer.writeheader()
    writer.writerows(self.rows)
    files.write_text(self._path, buffer.getvalue())


def _cell(value: Cell) -> str:
  return f'{value:.6g}' if isinstance(value, float) else str(value)


class Events:
  """TensorBoard scalars under one directory."""

  def __init__(self, directory: Path, name: str):
    self._writer: Optional[event_file_writer.EventFileWriter] = (
      event_file_writer.EventFileWriter(str(directory / name))
    )

  def scalars(self, step: int, values: Mapping[str, float]) -> None:
    """Records `values` at `step`."""
    if self._writer is None:
      return
    event = event_pb2.Event(
      wall_time=time.time(),
      step=step,
      summary=summary_pb2.Summary(
        value=[
          summary_pb2.Summary.Value(tag=tag, simple_value=value)
          for tag, value in values.items()
        ]
      ),
    )
    self._writer.add_event(event)

  def close(self) -> None:
    """Writes what is buffered."""
    if self._writer is not None:
      self._writer.close()
      self._writer = None
