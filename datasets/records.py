"""Small records as JSON objects, of which nobody vouches for the bytes."""

import json
import pathlib
from typing import Any

from datasets import files
from datasets.schema import Check, WrongError, anything, shortened

_MAX_BYTES = 64 << 20
"""Of a record; ours have kilobytes, and a parser takes ten times as much."""


def read(path: files.PathLike, check: Check = anything) -> dict[str, Any]:
  """The object that a file holds.

  Args:
    path: of the file.
    check: what the object must be.

  Raises:
    FileNotFoundError: there is no such file.
    files.DamagedFileError: it holds something else; says where.
  """
  return parse(pathlib.Path(path).read_bytes(), path, check)


def parse(
  data: bytes, path: files.PathLike, check: Check = anything
) -> dict[str, Any]:
  """The object that some bytes are.

  Args:
    data: of a file, or of a part of one.
    path: its name, for the error.
    check: what the object must be.

  Raises:
    files.DamagedFileError: they are something else; says where.
  """
  if len(data) > _MAX_BYTES:
    raise files.DamagedFileError(
      path, f'a record of {len(data):,} bytes; the bound is {_MAX_BYTES:,}'
    )
  try:
    record = json.loads(data.decode('utf-8'))
  except UnicodeDecodeError as error:
    raise files.DamagedFileError(
      path, f'no UTF-8 at byte {error.start}'
    ) from error
  except ValueError as error:  # Its message says line and column.
    raise files.DamagedFileError(path, f'no JSON: {error}') from error
  except RecursionError as error:
    raise files.DamagedFileError(path, 'its JSON is nested too deep') from error
  if not isinstance(record, dict):
    raise files.DamagedFileError(
      path, f'it holds {shortened(record)} where a JSON object stood'
    )
  try:
    check(record, '')
  except WrongError as error:
    raise files.DamagedFileError(path, str(error)) from error
  return record
