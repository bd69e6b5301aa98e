"""An .npz of one episode: an array a column, or a single text for all rows."""

from collections.abc import Iterator
from pathlib import Path
import zipfile
import zlib

import numpy as np

from datasets.files import DamagedFileError
from datasets.formats.raw import RawEpisode


def read(path: Path, episode: str) -> Iterator[RawEpisode]:
  """The one episode of the file; see `reading.read`."""
  del episode  # There is one.
  try:
    with np.load(path, allow_pickle=False) as arrays:
      columns = {name: arrays[name] for name in arrays}
  except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
    raise DamagedFileError(
      path, f'it is no .npz of arrays ({error})'
    ) from error
  yield RawEpisode('its episode', columns, {})
