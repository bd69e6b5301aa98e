"""Teachers that are trained agents, read from a snapshot file."""

from pathlib import Path
from typing import Any

import numpy as np

from agents.policy import Policy, Snapshot

SHIPPED = Path(__file__).parent / 'snapshots'
"""One directory a task, one file a tier."""


class SnapshotTeacher:
  """A trained policy that says what it would do."""

  def __init__(self, name: str, snapshot: Snapshot):
    self.name = name
    self.policy: Policy = snapshot.policy
    self.metadata: dict[str, Any] = snapshot.metadata
    self.version = snapshot.policy.digest

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`."""
    return self.policy(observations)


def is_shipped(name: str) -> bool:
  """Whether 'TASK/TIER' comes with the repository."""
  return (SHIPPED / f'{name}.npz').is_file()


def find(name: str) -> Path:
  """The file of a shipped snapshot ('TASK/TIER') or of a path.

  Raises:
    FileNotFoundError: neither exists; lists what is shipped.
  """
  shipped = SHIPPED / f'{name}.npz'
  for path in (shipped, Path(name)):
    if path.is_file():
      return path
  known = sorted(
    str(path.relative_to(SHIPPED).with_suffix(''))
    for path in SHIPPED.glob('*/*.npz')
  )
  raise FileNotFoundError(
    f'No teacher {name!r}: neither a file nor one of the shipped snapshots '
    f'({", ".join(known) or "none"}). Train one with `python -m '
    'launchers.online --task TASK`, or pass the path of a snapshot.'
  )


def load(name: str) -> SnapshotTeacher:
  """Reads a snapshot teacher.

  Raises:
    FileNotFoundError: there is none of that name.
    ValueError: the file is no snapshot; says why.
  """
  path = find(name)
  try:
    return SnapshotTeacher(name, Snapshot.from_bytes(path.read_bytes()))
  except ValueError as error:
    raise ValueError(f'{path} is no snapshot: {error}') from error
