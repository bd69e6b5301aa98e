"""The run directory: the one truth of a run, and where each thing is in it."""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Optional

from agents.deployed.policy import Policy
from datasets import files, naming
from datasets.store import EpisodeStore
from launchers.runs import schemas

# One evaluation: ('teacher' | 'interval' | 'final', cycle, learner step).
EvaluationKey = tuple[str, int, int]


LIVE = 75
"""Exit code of a command whose run another process is running."""


class RunIsLiveError(RuntimeError):
  """Another process is running in this run directory."""


class RunDirectory:
  """Paths of a run, and what they tell about how far it is.

  A cycle is finished when its policy file exists; its batch is what its store
  holds. Nothing else is remembered anywhere.
  """

  def __init__(self, root: Path):
    self.root = root
    self._made: list[Path] = []  # Parents that `lock` has made, nearest first.

  @property
  def config(self) -> Path:
    """The options of the run."""
    return self.root / 'config.json'

  def check(self) -> None:
    """Refuses what is no run's directory.

    Raises:
      FileNotFoundError: it has no configuration.
    """
    if not self.config.exists():
      raise FileNotFoundError(
        f'{self.root} is no run directory: give runs/NAME.'
      )

  @property
  def task(self) -> Path:
    """What the environment's numbers are."""
    return self.root / 'task.json'

  @property
  def system(self) -> Path:
    """What a system that is only described was described as."""
    return self.root / 'system.toml'

  @property
  def exclusions(self) -> Path:
    """Who decided that which cycle's data are learned from no longer."""
    return self.root / 'exclusions.csv'

  @property
  def demonstrations(self) -> Path:
    """The episodes of cycle 0."""
    return self.root / 'demonstrations'

  def cycle(self, cycle: int) -> Path:
    """The directory of one cycle."""
    return self.root / 'cycles' / f'{cycle:03d}'

  def store(self, cycle: int) -> EpisodeStore:
    """The episodes of one cycle; cycle 0 has the demonstrations."""
    if cycle == 0:
      return EpisodeStore(self.demonstrations)
    return EpisodeStore(self.cycle(cycle) / 'episodes')

  def inbox(self, cycle: int) -> EpisodeStore:
    """The episodes of one cycle that came from outside, until they are taken.

    To be read: whoever writes there may do so at this moment.
    """
    return EpisodeStore.open(files.make_directory(self.cycle(cycle) / 'inbox'))

  def episodes_in(self, cycle: int, *places: str) -> frozenset[int]:
    """The numbers of a cycle's episodes that are durable.

    Args:
      cycle: of the run.
      *places: where they wait to be learned from; none: everywhere.
    """
    below = self.cycle(cycle)
    where = [below / place for place in places or ('unadvised', 'inbox')]
    if not places:
      where.append(self.demonstrations if cycle == 0 else below / 'episodes')
    return frozenset(
      naming.identity_of(path).episode
      for directory in where
      for path in directory.glob('*.npz')
      if naming.is_episode(path)
    )

  def ingested(self, cycle: int) -> Path:
    """Which episodes of one cycle came from which file."""
    return self.cycle(cycle) / 'ingested.csv'

  def learner(self, cycle: int) -> Path:
    """Where the learner's checkpoints of one cycle are."""
    return self.cycle(cycle) / 'learner'

  def spool(self, cycle: int) -> EpisodeStore:
    """The episodes of one cycle that wait for a teacher's advice."""
    return EpisodeStore(self.cycle(cycle) / 'unadvised')

  def teacher_file(self, role: str) -> Path:
    """The snapshot of a teacher of the run, if it is one."""
    return self.root / f'{role}.npz'

  def teacher_record(self, role: str) -> Path:
    """Name and version of a teacher of the run."""
    return self.root / f'{role}.json'

  def teacher_identity(self, role: str) -> tuple[str, str]:
    """Name and version of a teacher that the run has settled on."""
    record = self.read_json(self.teacher_record(role))
    assert record, f'{role} was not settled'
    return record['name'], record['version']

  @property
  def teacher_result(self) -> Path:
    """The teacher's return."""
    return self.root / 'teacher.json'

  @property
  def temporaries(self) -> Path:
    """Where the processes of the run keep what need not outlive them."""
    return self.root / 'tmp'

  @property
  def events(self) -> Path:
    """TensorBoard's files."""
    return self.root / 'events'

  def logs(self) -> Path:
    """A new directory for the nodes' output; earlier ones stay."""
    parent = self.root / 'logs'
    parent.mkdir(parents=True, exist_ok=True)
    launches = [int(p.name) for p in parent.iterdir() if p.name.isdigit()]
    directory = parent / f'{max(launches, default=0) + 1:03d}'
    directory.mkdir()
    return directory

  def policy_path(self, cycle: int) -> Path:
    """The policy that `cycle` published."""
    return self.cycle(cycle) / 'policy.npz'

  def policy(self, cycle: int) -> Optional[Policy]:
    """The policy that `cycle` published; None while it is unfinished.

    A damaged file is set aside under another name: the cycle is unfinished
    again, and publishes the same policy from its learner's last checkpoint.
    """
    path = self.policy_path(cycle)
    if not path.exists():
      return None
    try:
      return Policy.from_bytes(path.read_bytes())
    except ValueError as error:
      damaged = path.with_suffix('.damaged')
      path.replace(damaged)
      print(f'{path} is damaged ({error}): kept as {damaged.name}.', flush=True)
      return None

  def finished_cycles(self, cycles: int) -> int:
    """How many of the cycles 0 … `cycles` are finished, without a gap."""
    for cycle in range(cycles + 1):
      if self.policy(cycle) is None:
        return cycle
    return cycles + 1

  def publish(self, cycle: int, policy: bytes) -> None:
    """Finishes `cycle`."""
    files.write_bytes(self.policy_path(cycle), policy)

  def _pending_path(self, key: EvaluationKey) -> Path:
    return self.root / 'pending' / '{}-{}-{}.npz'.format(*key)

  def keep_pending(self, key: EvaluationKey, policy: bytes) -> None:
    """Keeps an evaluation that is to be done, whatever happens."""
    path = self._pending_path(key)
    path.parent.mkdir(exist_ok=True)
    files.write_bytes(path, policy)

  def drop_pending(self, key: EvaluationKey) -> None:
    """Forgets an evaluation, which is done now."""
    self._pending_path(key).unlink(missing_ok=True)

  def pending(self) -> dict[EvaluationKey, bytes]:
    """The evaluations that were asked for and are not done."""
    found: dict[EvaluationKey, bytes] = {}
    for path in sorted((self.root / 'pending').glob('*-*-*.npz')):
      kind, cycle, step = path.stem.split('-')
      found[kind, int(cycle), int(step)] = path.read_bytes()
    return found

  def read_json(self, path: Path) -> Optional[dict[str, Any]]:
    """A small record of ours, or None where there is none."""
    if not path.exists():
      return None
    return schemas.read(path)

  def write_json(self, path: Path, record: dict[str, Any]) -> None:
    """Writes a small record, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, json.dumps(record, indent=2) + '\n')

  @property
  def _lock(self) -> Path:
    return self.root / '.lock'

  def remove_aside(self) -> None:
    """Clears what writers that were killed have left anywhere in it."""
    for directory in {path.parent for path in self.root.rglob('.*.aside')}:
      files.remove_aside(directory)

  def set_aside(self) -> list[Path]:
    """What was damaged, or none of the run, and is kept out of its way."""
    return sorted(
      path
      # Unlike rglob, it bears that a run which goes on removes directories.
      for directory, below, names in os.walk(self.root)
      for path in (Path(directory, name) for name in (*below, *names))
      if path.suffix == '.damaged' or path.parent.name == naming.QUARANTINE
    )

  def remove_if_unused(self) -> None:
    """Removes a directory that holds no more than our lock, as it was made."""
    if [path.name for path in self.root.iterdir()] != [self._lock.name]:
      return
    self._lock.unlink()
    self.root.rmdir()
    for parent in self._made:
      with contextlib.suppress(OSError):  # Somebody else has put something in.
        parent.rmdir()

  @property
  def is_live(self) -> bool:
    """Whether another process runs it, at this moment."""
    if not self._lock.exists():
      return False
    with self._lock.open('rb') as file:
      try:
        # Shared, so that two who look do not take each other for a runner.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
      except BlockingIOError:
        return True
      return False

  def lock(self) -> int:
    """Takes the run for this process, until the process ends.

    Returns:
      The open file descriptor that holds the lock.

    Raises:
      RunIsLiveError: another process has it; names that process.
    """
    self._made += [p for p in self.root.parents if not p.exists()]
    self.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      holder = os.read(descriptor, 100).decode(errors='replace').strip()
      os.close(descriptor)
      raise RunIsLiveError(
        f'{self.root} is being run by process {holder or "?"}. Wait for it, '
        f'stop it (kill -INT {holder or "PID"}), or use another --name.'
      ) from error
    if not os.fstat(descriptor).st_nlink:
      os.close(descriptor)  # `remove_if_unused` was quicker.
      return self.lock()
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f'{os.getpid()}\n'.encode())
    return descriptor
