"""The curator: what it lets through is durable, and only then learned from.

collected ─▶ check ─▶ store ─▶ replay              where no advice is needed
collected ─▶ check ─▶ spool ─▶ ask the teacher ─▶ store ─▶ replay      else
"""

from collections.abc import Sequence
import functools
import sys
from typing import Any, Optional

import numpy as np

from datasets import replay
from datasets.store import EpisodeStore, episode_digest
from datasets.tasks import Task
from datasets.types import Episode, EpisodeId
from datasets.validation import (
  EpisodeRefused,
  check_episode,
  check_identity,
  check_task,
)
from launchers.hosts.process import WaitForStop
from launchers.nodes import advice, tasks
from launchers.nodes import gateway as gateway_lib
from launchers.nodes.adviser import Adviser
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.launch_config import GatewayOptions
from launchers.runs.run_directory import RunDirectory

_PAUSE = 0.2  # Seconds between two looks at an empty table.
_BATCH = 16  # Episodes taken at a time.


def run_curator(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  replay_address: str,
  incarnation: str,
  services: Sequence[str],
  gateway: GatewayOptions,
  wait_for_stop: WaitForStop,
) -> None:
  """The node: restores what is durable, then curates until the program stops.

  Args:
    config: of the run.
    directory: of the run; the curator alone writes episodes there.
    conductor: is told of every episode.
    replay_address: host:port of Reverb.
    incarnation: of Reverb.
    services: host:port of the run's teacher nodes.
    gateway: where workers on other hosts bring theirs.
    wait_for_stop: waits that many seconds; whether the program stops.
  """
  adviser = None
  if config.objective.uses_teacher_actions:
    load = functools.partial(
      advice.load, config, directory, 'advisor', services,
      functools.partial(conductor.trouble, 'curator'), wait_for_stop,
    )  # fmt: skip
    adviser = Adviser(load, max(1, len(services)))
  writer = replay.EpisodeWriter(replay_address, 'replay', incarnation)
  curator = Curator(config, directory, conductor, writer, adviser)
  for cycle in conductor.open_cycles():
    curator.restore(cycle, wait_for_stop)
  while curator.is_waiting and not wait_for_stop(_PAUSE):
    curator.take_advice()
  conductor.restored()
  reader = replay.EpisodeReader(replay_address, 'collected', incarnation)
  with gateway_lib.opened(
    gateway, config, directory, conductor, wait_for_stop
  ) as take:
    while not wait_for_stop(0):
      episodes = reader.read(_BATCH)
      for episode in episodes:
        curator.receive(episode)
      curator.take_advice()
      for arrival in take(0 if episodes else _PAUSE):
        arrival.answer(curator.accept(arrival.episode))


class Curator:
  """Checks each episode, commits it to the store, hands it to the learner."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    conductor: Any,
    writer: replay.EpisodeWriter,
    adviser: Optional[Adviser],
  ):
    self._config = config
    self._directory = directory
    self._conductor = conductor
    self._environment = tasks.load(config, directory)
    self._writer = writer
    self._adviser = adviser
    self._store = functools.cache(directory.store)
    self._spool = functools.cache(directory.spool)
    self._delivered: set[EpisodeId] = set()
    self._refused: dict[tuple[Any, ...], int] = {}  # Which attempt it was.

  @property
  def is_waiting(self) -> bool:
    """Whether some episodes still lack their advice."""
    return bool(self._adviser)

  def restore(self, cycle: int, wait_for_stop: WaitForStop) -> None:
    """Puts what is durable back into Reverb, or before the teacher.

    Nobody vouches for what happened to the files meanwhile: they are checked as
    they were when they came in. What does not pass is set aside by name, and
    its episode is collected again.
    """
    store = self._checked(self._store(cycle), cycle)
    digests = store.digests()
    for episode in store:
      if wait_for_stop(0):
        return
      self._deliver(episode, digests[episode.identity], is_new=False)
    if self._needs_advice(cycle):
      for episode in self._checked(self._spool(cycle), cycle):
        self._advise(episode)

  def receive(self, episode: Episode) -> None:
    """Commits an episode, or refuses it and has it collected again."""
    identity = episode.identity
    if not self._is_wanted(identity):
      print(f'Ignored {identity}: it is not of this run.', flush=True)
      return
    try:
      policy = self._conductor.policy_digest(identity.cycle)
      self._check(episode, policy, self._environment.task)
    except EpisodeRefused as error:
      print(f'Refused {identity}: {error}', flush=True)
      self._refuse(episode, str(error))
      return
    if self._needs_advice(identity.cycle):
      self._advise(episode)
    else:
      self._commit(episode)

  def accept(self, episode: Episode) -> str:
    """Commits an episode that a worker on another host brought.

    Args:
      episode: of anyone's making. One that fails the checks says nothing of
        the run's environment, so that its attempt does not count.

    Returns:
      Why it is refused; '' where it is durable, or not needed any more.
    """
    identity = episode.identity
    try:
      check_identity(identity)
      if identity.actor != 0 or not self._config.wants(identity):
        return f'{identity} is none of this run.'
      if identity in self._delivered or not self._is_wanted(identity):
        return ''  # Another copy of it counts.
      policy = self._conductor.policy_digest(identity.cycle)
      self._check(episode, policy, self._environment.task)
    except EpisodeRefused as error:
      return str(error)
    if self._needs_advice(identity.cycle):
      self._advise(episode)
    else:
      self._commit(episode)
    return ''

  def _refuse(self, episode: Episode, reason: str) -> None:
    """Tells of a refusal; what comes twice is one attempt."""
    identity = tuple(episode.identity)
    key = (*identity, episode_digest(episode))
    if key not in self._refused:
      self._refused[key] = self._conductor.attempts(identity)
    self._conductor.refused(identity, reason, self._refused[key])

  def take_advice(self) -> None:
    """Commits the episodes that the teacher has answered for."""
    if self._adviser is None:
      return
    for episode in self._adviser.answered():
      self._commit(episode)
      self._spool(episode.identity.cycle).discard(episode.identity)

  def _advise(self, episode: Episode) -> None:
    """Has a teacher asked, once the episode is safe."""
    assert self._adviser is not None
    identity = episode.identity
    if identity in self._store(identity.cycle):
      self._spool(identity.cycle).discard(identity)
    elif identity not in self._adviser:
      self._spool(identity.cycle).commit(episode)
      self._conductor.kept(tuple(identity))
      self._adviser.ask(episode)

  def _commit(self, episode: Episode) -> None:
    if episode.identity in self._delivered:
      return  # By a worker whose processor may differ in the last bit.
    store = self._store(episode.identity.cycle)
    is_new = episode.identity not in store
    self._deliver(episode, store.commit(episode), is_new)

  def _deliver(self, episode: Episode, digest: str, is_new: bool) -> None:
    identity = episode.identity
    if identity in self._delivered:
      return
    self._writer.write(episode)
    self._conductor.committed(
      tuple(identity),
      digest,
      episode.episode_return,
      episode.num_steps,
      is_new,
    )
    self._delivered.add(identity)

  def _checked(self, store: EpisodeStore, cycle: int) -> EpisodeStore:
    """A store of a cycle, without what is none of it."""
    is_imported = cycle == 0 and self._config.demonstrations.path is not None
    policy = None if is_imported else self._conductor.policy_digest(cycle)

    def check(episode: Episode) -> None:
      identity, task = episode.identity, self._environment.task
      if identity.cycle != cycle or not self._config.wants(identity):
        raise EpisodeRefused(f'{identity} is not of this cycle of this run.')
      if is_imported:  # Whoever recorded them has chosen their lengths.
        check_episode(episode, task.spec)
      else:
        self._check(episode, policy)
      check_task(episode, task)

    for path, reason in store.quarantine(check):
      print(f'Set aside {path}: {reason}', file=sys.stderr, flush=True)
    return store

  def _needs_advice(self, cycle: int) -> bool:
    """Demonstrations come with the demonstrator's."""
    return self._adviser is not None and cycle > 0

  def _is_wanted(self, identity: EpisodeId) -> bool:
    # Old versions numbered their actors, and their files still do.
    is_ours = identity.actor == 0 and self._config.wants(identity)
    return is_ours and identity.cycle in self._conductor.open_cycles()

  def _check(
    self, episode: Episode, policy: Optional[str], task: Optional[Task] = None
  ) -> None:
    """Refuses an episode that is not what it should be; None: any will do.

    An episode is whole where it has all the steps of the configuration, or was
    ended: by a true termination, or by an environment that cuts episodes.
    """
    most, environment = self._config.episode_steps, self._environment
    ends = np.ravel(episode.discounts)  # Of any shape, as yet.
    has_end = len(ends) and ends[-1] == 0
    is_free = environment.ends_itself or has_end
    length = None if is_free else most
    check_episode(episode, environment.task.spec, policy, length, task)
    if episode.num_steps > most:
      raise EpisodeRefused(
        f'{episode.identity}: it has {episode.num_steps} steps, but '
        f'episode_steps allows {most}; cut it there.'
      )
