"""HDF5: a group an episode, as Minari has it, or one array of all rows."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import h5py
import numpy as np

from datasets.files import DamagedFileError
from datasets.formats.raw import RawEpisode

_ENDS = ('terminals', 'timeouts', 'terminations', 'truncations')
"""Arrays of all rows: an episode ends where one of them is true."""
_ROWS = 50_000  # Looked through at a time.
_FINAL = re.compile('(observations|observation|obs|state)s?(/.*)?')


def read(path: Path, episode: str) -> Iterator[RawEpisode]:
  """The episodes of an HDF5 file; see `reading.read`."""
  try:
    with h5py.File(path, 'r') as file:
      _check_own(path, file)
      groups = [n for n in file if isinstance(file[n], h5py.Group)]
      numbered = [n for n in groups if re.search(r'\d+$', n)]
      if numbered:
        for name in sorted(numbered, key=_number):
          yield _of_group(path, name, file[name])
      else:
        yield from _of_rows(path, file, episode)
  except (OSError, RuntimeError, KeyError) as error:
    if isinstance(error, FileNotFoundError | PermissionError):
      raise
    raise DamagedFileError(path, f'it is no HDF5 ({error})') from error


def _check_own(path: Path, group: h5py.Group) -> None:
  """Refuses links into other files, which a stranger may aim anywhere."""
  for name in group:
    link = group.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
      raise DamagedFileError(path, f'{name} is a link to {link.filename}')
    if isinstance(group[name], h5py.Group):
      _check_own(path, group[name])
    elif group[name].external or group[name].is_virtual:
      raise DamagedFileError(path, f'{name} has its data in another file')


def _number(name: str) -> tuple[int, str]:
  match = re.search(r'(\d+)$', name)
  return int(match[1]) if match else 0, name


def _arrays(group: h5py.Group, prefix: str = '') -> Iterator[tuple[str, Any]]:
  """Every dataset below a group, nested names joined by '/'."""
  for name, item in group.items():
    if isinstance(item, h5py.Group):
      yield from _arrays(item, f'{prefix}{name}/')
    else:
      yield f'{prefix}{name}', item


def _of_group(path: Path, name: str, group: h5py.Group) -> RawEpisode:
  """Observations have one row more: what came of the last step."""
  columns = {
    key: _values(path, item[()])
    for key, item in _arrays(group)
    if not key.startswith('infos/')
  }
  rows = {len(v) for k, v in columns.items() if np.ndim(v) and not _seen(k)}
  steps = min(rows, default=0)
  final = {
    key: value[steps]
    for key, value in columns.items()
    if _seen(key) and np.ndim(value) and len(value) == steps + 1
  }
  return RawEpisode(
    name, {k: v[:steps] if k in final else v for k, v in columns.items()}, final
  )


def _seen(name: str) -> bool:
  return _FINAL.fullmatch(name) is not None


def _of_rows(path: Path, file: h5py.File, episode: str) -> Iterator[RawEpisode]:
  """Arrays of the rows of all episodes; or else of one."""
  found = dict(_arrays(file))
  if not {episode, *_ENDS} & found.keys():
    yield _of_group(path, 'its episode', file)
    return
  lengths = [len(item) for item in found.values() if item.shape]
  rows = max(lengths, default=0)
  columns = {n: d for n, d in found.items() if d.shape and len(d) == rows}
  columns = {n: d for n, d in columns.items() if not n.startswith('infos/')}
  if not columns:
    raise DamagedFileError(path, 'it holds no arrays')
  start = 0
  for end in _ends(columns, rows, episode):
    yield RawEpisode(
      f'rows {start} to {end - 1}',
      {
        name: _values(path, item[start:end])
        for name, item in columns.items()
        if name != episode
      },
      {},
    )
    start = end


def _ends(columns: dict[str, Any], rows: int, episode: str) -> Iterator[int]:
  """After which rows an episode ends; the last one's at the latest."""
  marks = [columns[name] for name in _ENDS if name in columns]
  last = 0
  for start in range(0, rows, _ROWS):
    stop = min(start + _ROWS, rows)
    if episode in columns:
      numbers = np.asarray(columns[episode][start : stop + 1])
      is_end = np.zeros(stop - start, bool)
      changes = numbers[1:] != numbers[:-1]
      is_end[: len(changes)] = changes
    else:
      parts = [np.asarray(m[start:stop]).reshape(stop - start) for m in marks]
      is_end = np.any(np.array(parts, bool), axis=0) if parts else np.zeros(0)
    for end in np.flatnonzero(is_end) + start + 1:
      last = int(end)
      yield last
  if last < rows:
    yield rows


def _values(path: Path, values: Any) -> np.ndarray:
  """An array of numbers or of text."""
  array = np.asarray(values)
  if array.dtype == object:
    texts = [v.decode() if isinstance(v, bytes) else v for v in array.ravel()]
    if not all(isinstance(text, str) for text in texts):
      raise DamagedFileError(path, 'it holds what is neither number nor text')
    return np.array(texts).reshape(array.shape)
  return array
