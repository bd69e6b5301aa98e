"""Tables, a row a step, read in pieces: CSV by pandas, Parquet by pyarrow."""

from collections.abc import Iterable, Iterator
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets.files import DamagedFileError
from datasets.formats.raw import RawEpisode

_ROWS = 50_000  # Of a piece.
_LEROBOT = 'episode_index'  # What LeRobot calls an episode's number.


def read_csv(path: Path, episode: str) -> Iterator[RawEpisode]:
  """The episodes of a CSV with a head; see `reading.read`."""
  try:
    with pd.read_csv(
      path, chunksize=_ROWS, float_precision='round_trip', low_memory=False
    ) as pieces:
      yield from _episodes(pieces, episode)
  except (
    pd.errors.ParserError,
    pd.errors.EmptyDataError,
    UnicodeDecodeError,
  ) as error:
    raise DamagedFileError(path, f'it is no CSV ({error})') from error


def read_parquet(path: Path, episode: str) -> Iterator[RawEpisode]:
  """The episodes of a Parquet file; see `reading.read`."""
  import pyarrow
  from pyarrow import parquet

  try:
    with parquet.ParquetFile(path) as file:
      pieces = (b.to_pandas() for b in file.iter_batches(_ROWS))
      yield from _episodes(pieces, episode)
  except (pyarrow.ArrowException, OSError) as error:
    if isinstance(error, OSError) and error.errno:
      raise  # Of the file system.
    raise DamagedFileError(path, f'it is no Parquet ({error})') from error


def _episodes(
  pieces: Iterable[pd.DataFrame], episode: str
) -> Iterator[RawEpisode]:
  """Consecutive rows of one number; a piece may end amid them."""
  held: list[pd.DataFrame] = []
  start = row = 0
  for piece in pieces:
    if episode not in piece and _LEROBOT in piece:
      episode = _LEROBOT
    changes = np.zeros(0, int)
    if episode in piece:
      numbers = piece[episode].astype(str).to_numpy()
      changes = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    for first, last in itertools.pairwise([0, *changes, len(piece)]):
      part = piece.iloc[first:last]
      if held and _number(held[0], episode) != _number(part, episode):
        yield _raw(held, episode, start)
        held, start = [], row + first
      held.append(part)
    row += len(piece)
  if held:
    yield _raw(held, episode, start)


def _number(part: pd.DataFrame, episode: str) -> str:
  return str(part[episode].iloc[0]) if episode in part else ''


def _raw(parts: list[pd.DataFrame], episode: str, start: int) -> RawEpisode:
  whole = pd.concat(parts)
  name = f'episode {_number(whole, episode)}, ' if episode in whole else ''
  where = f'{name}rows {start} to {start + len(whole) - 1}'
  columns = {str(n): _array(whole[n]) for n in whole.columns if n != episode}
  return RawEpisode(where, columns, {})


def _array(column: 'pd.Series[Any]') -> np.ndarray:
  """[T], or [T, ...] of a column whose cells are lists."""
  values = column.to_numpy()
  if values.dtype == object and len(values):
    if isinstance(values[0], np.ndarray):
      return np.stack([np.stack(v) if v.dtype == object else v for v in values])
    return values.astype(str)
  return values
