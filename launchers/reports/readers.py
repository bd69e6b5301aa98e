"""The files of a run, as its report reads them."""

from collections.abc import Sequence
import io
from pathlib import Path
from typing import Any, Optional

import pandas as pd

from datasets import files
from datasets.schema import shortened
from launchers.runs import schemas, tables

_WORDS = ('kind', 'phase')  # Columns that hold no numbers.


class NotARunError(ValueError):
  """A directory is no run directory; the message says what was expected."""


def read_json(path: Path) -> Optional[dict[str, Any]]:
  """A record, or None where there is none yet."""
  if not path.is_file():
    return None
  try:
    return schemas.read(path)
  except files.DamagedFileError as error:
    raise NotARunError(f'{error}.') from error


def read_csv(path: Path, needed: Sequence[str]) -> pd.DataFrame:
  """A table of numbers, and of words in the columns of `_WORDS`."""
  if not path.is_file():
    return pd.DataFrame()
  try:
    found = tables.read(path, needed)
  except files.DamagedFileError as error:
    raise NotARunError(f'{error}.') from error
  if not found.rows:
    return pd.DataFrame(columns=found.columns)
  # Exactly what was written: pandas' own parser is wrong in the last bit.
  frame = pd.read_csv(io.StringIO(found.whole), float_precision='round_trip')
  for name in frame:
    if name not in _WORDS and not pd.api.types.is_numeric_dtype(frame[name]):
      raise NotARunError(
        f'{path} is damaged: not all that its column {shortened(name)} holds '
        'are numbers; restore it, or remove it.'
      )
  return frame
