"""Tables that people write: CSV files with named columns, read strictly."""

from collections.abc import Iterator, Sequence
import csv
import math
from pathlib import Path
from typing import NamedTuple

from datasets.schema import shortened

_LARGEST = 3.4028234663852886e38  # Of float32, which all advice is.
_SHOWN = 40  # Letters of a number, in an error.


class Row(NamedTuple):
  """A row of a table; its methods refuse what is no value of a column.

  Attributes:
    path: the file.
    line: of the file, from 1.
    cells: text by column, without the spaces around it.
  """

  path: Path
  line: int
  cells: dict[str, str]

  def text(self, column: str) -> str:
    """What a cell says, which must be something."""
    value = self.cells[column]
    if not value:
      raise self.error(f'{column} is empty')
    return value

  def number(
    self, column: str, low: float = -_LARGEST, high: float = _LARGEST
  ) -> float:
    """A finite number from `low` to `high`."""
    text = self.text(column)
    try:
      value = float(text)
    except ValueError:
      raise self.error(
        f'{column} is {shortened(text)}, which is no number'
      ) from None
    if not math.isfinite(value) or not low <= value <= high:
      raise self.error(
        f'{column} is {text[:_SHOWN]}; it must be finite and from {low} to '
        f'{high}'
      )
    return value

  def error(self, reason: str) -> ValueError:
    """An error that names this line."""
    return ValueError(f'{self.path}, line {self.line}: {reason}. Correct it.')


def read(path: Path, columns: Sequence[str]) -> Iterator[Row]:
  """The rows of a CSV file in UTF-8 whose first line names its columns.

  Args:
    path: the file.
    columns: it has exactly these, in any order.

  Yields:
    Every row; empty lines are passed over.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it is no such table; names the line.
  """
  with path.open(encoding='utf-8-sig', newline='') as file:
    lines = csv.reader(file, strict=True)
    try:
      header = [name.strip() for name in next(lines, [])]
      if sorted(header) != sorted(columns):
        raise ValueError(
          f'{path}, line 1: the columns are {shortened(", ".join(header))}; '
          f'they must be {", ".join(columns)}, each once and in any order.'
        )
      for cells in lines:
        if not cells:
          continue
        if len(cells) != len(header):
          raise ValueError(
            f'{path}, line {lines.line_num}: it has {len(cells)} values; the '
            f'{len(header)} columns need one each.'
          )
        texts = (cell.strip() for cell in cells)
        yield Row(path, lines.line_num, dict(zip(header, texts, strict=True)))
    except (csv.Error, UnicodeDecodeError) as error:
      raise ValueError(
        f'{path}, near line {lines.line_num}: {error}. Save it as CSV in UTF-8.'
      ) from error
