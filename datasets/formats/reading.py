"""Reads the logs that people have, an episode at a time.

.npz               one episode, an array a column
.csv .parquet      a table; consecutive rows of one episode share its number
.hdf5 .h5          a group an episode, as Minari has it; or arrays of all rows,
                   as D4RL has it
a directory        of RLDS, as tensorflow-datasets keeps it
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from datasets import closest
from datasets.formats import hdf5, npz, rlds, tables
from datasets.formats.raw import RawEpisode

_READERS: dict[str, Callable[[Path, str], Iterator[RawEpisode]]] = {
  '.npz': npz.read,
  '.csv': tables.read_csv,
  '.parquet': tables.read_parquet,
  '.hdf5': hdf5.read,
  '.h5': hdf5.read,
}


def read(path: Path, episode: str = 'episode') -> Iterator[RawEpisode]:
  """The episodes of a file, in its order; one at a time is in memory.

  Args:
    path: its suffix says what it is, or what is in the directory.
    episode: the column, or the array, that tells episodes apart.

  Yields:
    Each episode.

  Raises:
    OSError: it cannot be read.
    ValueError: it is of no format that is known.
    files.DamagedFileError: it is not what its suffix says, or is cut off; says
      where. What stood before has been yielded.
  """
  if (path / 'features.json').exists():
    return rlds.read(path, episode)
  reader = _READERS.get(path.suffix.lower())
  if reader is None:
    hint = closest.among(path.suffix, _READERS)
    raise ValueError(f'{path} is of no format that can be read.{hint}')
  if not path.exists():
    raise FileNotFoundError(f'{path} does not exist.')
  return reader(path, episode)
