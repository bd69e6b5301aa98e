"""Which files are to be taken: those that are named, or that come new."""

from collections.abc import Iterator, Sequence
from pathlib import Path
import time
from typing import Optional

_SETTLED = 2.0  # Seconds after which nobody is writing to a file any more.
_OF_DATASET = 'features.json'  # Of RLDS, which is read whole.


def looks(
  places: Sequence[Path], interval: Optional[float]
) -> Iterator[list[Path]]:
  """What there is at each look; a file that has not changed comes once.

  Args:
    places: files, datasets that are directories, and directories of both.
    interval: seconds between two looks; None: there is one.

  Raises:
    FileNotFoundError: a place does not exist at the first look.
  """
  seen: dict[Path, tuple[int, int]] = {}
  for place in places:
    if not place.exists():
      raise FileNotFoundError(f'{place} does not exist.')
  if interval is None:
    yield [path for place in places for path in _below(place)]
    return
  while True:
    found = []
    for path in (path for place in places for path in _below(place)):
      status = path.stat()
      stamp = status.st_mtime_ns, status.st_size
      is_settled = time.time() - status.st_mtime > _SETTLED
      if is_settled and seen.get(path) != stamp:
        seen[path] = stamp
        found.append(path)
    yield found
    time.sleep(interval)


def _below(place: Path) -> list[Path]:
  """A file, a dataset, or what a directory holds of both, by name."""
  if not place.is_dir() or (place / _OF_DATASET).exists():
    return [place] if place.exists() else []
  children = sorted(p for p in place.iterdir() if not p.name.startswith('.'))
  return [path for child in children for path in _below(child)]
