"""Training from files alone, resumable to the bit."""

from collections.abc import Callable, Mapping, Sequence
import hashlib
from pathlib import Path
import time
from typing import Any, Optional

import numpy as np

from agents import checkpoint, registry
from agents.config import AgentConfig, ObjectiveConfig
from agents.deployed.policy import Policy
from agents.learner import Learner
from datasets import files
from datasets.memory import Memory
from datasets.store import EpisodeStore, digest_of
from datasets.tasks import Task
from datasets.types import EpisodeId
from datasets.validation import OneTask
from launchers.nodes.batches import sampler_for
from launchers.runs.frozen import differences
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table

_LEARN = 3  # The role of the sampling seeds, as in a run.


class Log:
  """Logged episodes, all of them in memory.

  Attributes:
    memory: the transitions, with labels where every episode has advice.
    spec: the sizes of the task.
    num_episodes: how many there are.
    longest: steps of the longest.
    digest: of all episodes; equal digests mean equal data.
    task: what they were acted in; None where nobody says.
  """

  def __init__(
    self,
    directories: Sequence[Path],
    config: AgentConfig,
    task: Optional[Task] = None,
    report: Callable[[int, int], None] = lambda done, total: None,
    first_episodes: Optional[int] = None,
  ):
    """Reads and checks them.

    Args:
      directories: stores; their order and overlaps do not matter to the digest
        of each, but to the order of the transitions.
      config: its n-step and discount make the items.
      task: what they must have been acted in, if it is known; older episodes do
        not say.
      report: told after each episode how many are read, of how many.
      first_episodes: read so many of each directory, in the order of their
        identities; None: all.

    Raises:
      FileNotFoundError: there is no such directory.
      ValueError: there are no or too few episodes, or they are of several
        tasks.
      files.DamagedFileError: an episode is torn or altered.
    """
    self.memory = Memory(config.n_step, config.discount, with_labels=True)
    self.num_episodes = self.longest = 0
    digests = hashlib.sha256()
    check = OneTask(task)
    stores = [EpisodeStore.open(directory) for directory in directories]
    parts = [_first(store, first_episodes) for store in stores]
    total = sum(map(len, parts))
    for store, wanted in zip(stores, parts, strict=True):
      for episode in store.checked(check, wanted):
        self.memory.extend([episode])
        self.num_episodes += 1
        self.longest = max(self.longest, episode.num_steps)
        report(self.num_episodes, total)
      digests.update(digest_of(store.digests(wanted)).encode())
    if check.spec is None:
      names = ', '.join(map(str, directories))
      raise ValueError(f'There are no episodes in {names}.')
    self.spec = check.spec
    self.task = check.task
    self.digest = digests.hexdigest()


def _first(store: EpisodeStore, count: Optional[int]) -> list[EpisodeId]:
  """The first of a store's episodes; refuses a store that has fewer."""
  identities = store.identities()
  if count is not None and len(identities) < count:
    raise ValueError(
      f'{store.directory} holds {len(identities)} episodes, and first_episodes '
      f'asks for {count}. Act more, or ask for fewer.'
    )
  return identities[:count]


class OfflineTrainer:
  """One agent, one log, and where they are written.

  Attributes:
    root: the directory of the run.
    networks: those that are trained.
    damaged: checkpoints that were set aside.
  """

  def __init__(
    self,
    config: AgentConfig,
    log: Log,
    directory: RunDirectory,
    seed: int,
    total_steps: int,
  ):
    """Goes on from the newest checkpoint, if there is one.

    Raises:
      ValueError: the log is not the one that this run began with.
    """
    self.root = directory.root
    self._directory = directory
    self._total_steps = total_steps
    self._task = log.task
    self._check_data(log)
    self.networks = registry.make_networks(config, log.spec, seed)
    agent = registry.make_agent(
      config, self.networks, ObjectiveConfig('none'), total_steps
    )
    sequence = np.random.SeedSequence([seed, _LEARN])
    sampler = sampler_for(
      config, agent, log.memory, int(sequence.generate_state(1)[0])
    )
    self._learner = Learner(agent, sampler)
    self._metrics = Table(
      self.root / 'metrics.csv', ('step', 'steps_per_second'), ('step',)
    )
    restored = checkpoint.restore_newest(
      {'learner': self._learner}, self.root / 'learner'
    )
    self._saved_step = restored.step
    self.damaged = restored.damaged

  @property
  def steps(self) -> int:
    """Updates done."""
    return self._learner.steps

  @property
  def is_done(self) -> bool:
    """Whether all updates are done."""
    return self.steps >= self._total_steps

  def learn(self, num_steps: int) -> Mapping[str, float]:
    """Does at most so many updates, and logs their mean metrics."""
    started = time.monotonic()
    count = min(num_steps, self._total_steps - self.steps)
    metrics = self._learner.run(count)
    rate = count / (time.monotonic() - started)
    self._metrics.add({'step': self.steps, **metrics, 'steps_per_second': rate})
    return metrics

  def policy(self) -> Policy:
    """The present policy, with its task if that is known."""
    return self._with_task(self.networks.export())

  def save(self) -> None:
    """Writes a checkpoint, unless the newest is of this step."""
    if self.steps != self._saved_step:
      checkpoint.save(
        {'learner': self._learner}, self.root / 'learner', self.steps
      )
      self._saved_step = self.steps

  def publish(self, metadata: Mapping[str, Any]) -> Path:
    """Writes the policy, with its critic if it has one; returns the file.

    Its companions, for instance 'prior', are written beside it.
    """
    path = self.root / 'policy.npz'
    for name, policy in self.networks.companions().items():
      data = self._with_task(policy).to_bytes()
      files.write_bytes(self.root / f'{name}.npz', data)
    snapshot = self.networks.snapshot(metadata)
    snapshot = snapshot._replace(policy=self.policy())
    files.write_bytes(path, snapshot.to_bytes())
    return path

  def _with_task(self, policy: Policy) -> Policy:
    return policy.of(self._task) if self._task else policy

  def _check_data(self, log: Log) -> None:
    """A run goes on with the data that it began with."""
    path = self.root / 'data.json'
    record = {
      'episodes': log.num_episodes,
      'transitions': log.memory.num_transitions,
      'digest': log.digest,
    }
    before = self._directory.read_json(path)
    if before is None:
      self._directory.write_json(path, record)
    elif before != record:
      changes = '; '.join(differences(before, record))
      raise ValueError(
        f'The data are not those that {self.root} began with: {changes}. '
        'Restore them, or use another --name.'
      )
