"""A run described as jobs: what each kind of them executes, and where."""

from collections.abc import Sequence
import dataclasses
import hashlib
from pathlib import Path
import re

from launchers.engines.keys import KeyFiles
from launchers.engines.options import Submission
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

ADDRESS = '--gateway.address'
_LONGEST = 30  # Characters of a run's name; Kubernetes takes 63 in all.


@dataclasses.dataclass(frozen=True)
class Jobs:
  """A core and its workers, for an engine whose hosts share the run directory.

  Attributes:
    config: of the run.
    directory: of the run.
    words: the run's options, as `launchers.growing_batch` takes them.
    submission: how it is placed.
    keys: of the gateway.
    has_own_keys: whether the words name them.
  """

  config: GrowingBatchConfig
  directory: RunDirectory
  words: tuple[str, ...]
  submission: Submission
  keys: KeyFiles
  has_own_keys: bool = False

  @property
  def place(self) -> Path:
    """Where what is submitted, its output and its keys are."""
    return engine_directory(self.directory)

  @property
  def last_policy(self) -> Path:
    """The file whose being there means: nobody need act any more."""
    return self.directory.policy_path(self.config.cycles)

  @property
  def label(self) -> str:
    """A name that no other run's jobs have, such as all engines take."""
    path = str(self.directory.root.resolve())
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    name = re.sub('[^a-z0-9]+', '-', self.config.run_name.lower())
    return f'run-{name[:_LONGEST].strip("-")}-{digest}'.replace('--', '-')

  def core_words(self) -> list[str]:
    """After `python -m`, on the core's host."""
    words = [*self.words, '--gateway.announce', str(self.place / 'address')]
    if not self.has_own_keys:
      words += self.keys.of_the_run()
    return ['launchers.engines.core', str(self.place), *words]

  def worker_words(self) -> list[str]:
    """After `python -m`, on a worker's host; its number is to follow."""
    return [
      'launchers.engines.worker',
      str(self.directory.root), str(self.last_policy),
      '--actors', str(self.submission.worker.cpus), *self.keys.of_a_worker(),
    ]  # fmt: skip


def engine_directory(directory: RunDirectory) -> Path:
  """What an engine has in a run directory."""
  return directory.root / 'engine'


def names_address(words: Sequence[str]) -> bool:
  """Whether a run's options say where its gateway listens."""
  return any(word.partition('=')[0] == ADDRESS for word in words)
