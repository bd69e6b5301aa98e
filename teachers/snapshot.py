"""Teachers that are trained agents, read from a snapshot file."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from agents.deployed.critic import Critic
from agents.deployed.policy import Policy, Snapshot
from datasets import closest
from teachers.base import Kind, Teacher

SHIPPED = Path(__file__).parent / 'snapshots'
"""One directory a task, one file a tier."""


class SnapshotTeacher(Teacher):
  """A trained agent: what its policy would do, and where its critic rises.

  Attributes:
    snapshot: its arrays.
    policy: gives the actions.
    metadata: where it came from.
  """

  def __init__(self, name: str, snapshot: Snapshot):
    self.snapshot = snapshot
    self.policy: Policy = snapshot.policy
    self.metadata: dict[str, Any] = snapshot.metadata
    version = snapshot.policy.digest
    self._critic = None
    if snapshot.critic:
      self._critic = _critic(snapshot)
      both = version + self._critic.digest
      version = hashlib.sha256(both.encode()).hexdigest()
    super().__init__(name, version, *snapshot.policy.spec, snapshot.policy.task)

  @property
  def gives(self) -> frozenset[Kind]:
    """Without a critic it gives actions alone."""
    return super().gives if self._critic else frozenset(['actions'])

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`."""
    return self.policy(observations)

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """See `Teacher.action_gradients`: dQ*/da of its critic (P002, eq. 8)."""
    if self._critic is None:
      return super().action_gradients(observations, actions)
    return self._critic.value_and_gradient(observations, actions)[1]


def _critic(snapshot: Snapshot) -> Critic:
  """The critic of a snapshot.

  Raises:
    ValueError: it is none, or not one for this policy's task.
  """
  spec = snapshot.policy.spec
  critic = Critic(snapshot.critic, spec.action_size)
  if critic.observation_size != spec.observation_size:
    raise ValueError(
      f'its critic takes observations of width {critic.observation_size}, but '
      f'its policy of {spec.observation_size}: store those of one agent.'
    )
  return critic


def is_shipped(name: str) -> bool:
  """Whether 'TASK/TIER' comes with the repository."""
  return (SHIPPED / f'{name}.npz').is_file()


def find(name: str) -> Path:
  """The file of a shipped snapshot ('TASK/TIER') or of a path.

  Raises:
    FileNotFoundError: neither exists; says what is shipped.
  """
  shipped = SHIPPED / f'{name}.npz'
  for path in (shipped, Path(name)):
    if path.is_file():
      return path
  if Path(name).is_dir():
    raise FileNotFoundError(_explain_directory(Path(name)))
  known = sorted(
    str(path.relative_to(SHIPPED).with_suffix(''))
    for path in SHIPPED.glob('*/*.npz')
  )
  raise FileNotFoundError(
    f'No teacher {name!r}: it is no file and no shipped snapshot.'
    f'{closest.among(name, known)} Train another one with `python -m '
    'launchers.online --task TASK`, or give the path of a snapshot.'
  )


def _explain_directory(directory: Path) -> str:
  """Which of its files may have been meant, the newest cycle's first."""
  patterns = ('best.npz', 'policy.npz', 'cycles/*/policy.npz')
  found = [
    path
    for pattern in patterns
    for path in sorted(directory.glob(pattern), reverse=True)
  ]
  files = ', '.join(map(str, found[:3]))
  return f'{directory} is a directory: name a file, ' + (
    f'for instance one of {files}.' if files else 'of which there is none here.'
  )


def load(name: str) -> SnapshotTeacher:
  """Reads a snapshot teacher.

  Raises:
    FileNotFoundError: there is none of that name.
    ValueError: the file is no snapshot; says why.
  """
  return read(name, find(name))


def read(name: str, path: Path) -> SnapshotTeacher:
  """The snapshot teacher of a file.

  Raises:
    ValueError: the file is no snapshot; says why.
  """
  try:
    return SnapshotTeacher(name, Snapshot.from_bytes(path.read_bytes()))
  except ValueError as error:
    raise ValueError(f'{path} is no snapshot: {error}') from error
