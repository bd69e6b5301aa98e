"""The curator: what it lets through is durable, and only then learned from.

collected ─▶ check ─▶ store ─▶ replay              where no advice is needed
collected ─▶ check ─▶ spool ─▶ ask the teacher ─▶ store ─▶ replay      else

Of a run without simulator, `collected` is the inbox that ingest fills.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
import functools
import itertools
import sys
from typing import Any, Optional

from datasets import replay
from datasets.packed import Packed, pack
from datasets.store import EpisodeStore
from datasets.types import EpisodeId
from datasets.validation import EpisodeRefused
from launchers.hosts.process import WaitForStop
from launchers.nodes import advice, tasks
from launchers.nodes import gateway as gateway_lib
from launchers.nodes.admission import Admission
from launchers.nodes.adviser import Adviser
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.launch_config import GatewayOptions
from launchers.runs.run_directory import RunDirectory

_PAUSE = 0.2  # Seconds between two looks at an empty table.
_BATCH = 64  # Episodes taken at a time.


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
      episodes = reader.read_packed(_BATCH)
      curator.receive(episodes)
      if not config.has_simulator:
        curator.empty_inbox()
      curator.take_advice()
      arrived = take(0 if episodes else _PAUSE)
      reasons = curator.accept([arrival.packed for arrival in arrived])
      for arrival, reason in zip(arrived, reasons, strict=True):
        arrival.answer(reason)


class Curator:
  """Checks each episode, commits it to the store, hands it to the learner.

  It takes what has come meanwhile together: a disk syncs many files in little
  more time than one.
  """

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    conductor: Any,
    writer: replay.EpisodeWriter,
    adviser: Optional[Adviser],
  ):
    self._conductor = conductor
    self._admission = Admission(
      config, tasks.load(config, directory), conductor.policy_digest
    )
    self._writer = writer
    self._adviser = adviser
    self._store = functools.cache(directory.store)
    self._spool = functools.cache(directory.spool)
    self._inbox = functools.cache(directory.inbox)
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
      digest = digests[episode.identity]
      self._deliver([pack(episode)._replace(digest=digest)], new=())
    if self._needs_advice(cycle):
      self._advise(map(pack, self._checked(self._spool(cycle), cycle)))

  def receive(self, episodes: Sequence[Packed]) -> None:
    """Commits episodes, or refuses one and has it collected again."""
    open_cycles = self._conductor.open_cycles() if episodes else ()
    good = []
    for packed in episodes:
      identity = packed.episode.identity
      if (
        not self._admission.is_ours(identity)
        or identity.cycle not in open_cycles
      ):
        print(f'Ignored {identity}: it is not of this run.', flush=True)
        continue
      try:
        self._admission.check_acted(packed.episode)
      except EpisodeRefused as error:
        print(f'Refused {identity}: {error}', flush=True)
        self._refuse(packed, str(error))
      else:
        good.append(packed)
    self._keep(good)

  def empty_inbox(self) -> None:
    """Receives what has come from outside, whether or not the run was up."""
    for cycle in self._conductor.open_cycles():
      inbox = self._inbox(cycle)
      for path, reason in inbox.quarantine():
        print(f'Set aside {path}: {reason}', file=sys.stderr, flush=True)
      waiting = inbox.identities()[:_BATCH]
      self.receive([inbox.read_packed(identity) for identity in waiting])
      for identity in waiting:
        inbox.discard(identity)

  def accept(self, episodes: Sequence[Packed]) -> list[str]:
    """Commits episodes that workers on other hosts brought.

    Args:
      episodes: of anyone's making. One that fails the checks says nothing of
        the run's environment, so that its attempt does not count.

    Returns:
      Why each is refused; '' where it is durable, or not needed any more.
    """
    open_cycles = self._conductor.open_cycles() if episodes else ()
    reasons, good = [], []
    for packed in episodes:
      try:
        identity = packed.episode.identity
        self._admission.check_identity(identity)
        is_needed = identity not in self._delivered
        if is_needed and identity.cycle in open_cycles:
          self._admission.check_acted(packed.episode)
          good.append(packed)
        reasons.append('')
      except EpisodeRefused as error:
        reasons.append(str(error))
    self._keep(good)
    return reasons

  def _keep(self, episodes: Iterable[Packed]) -> None:
    """Commits what passed, or has a teacher asked first."""
    # The first copy counts; of a worker whose processor differs, another may
    # differ in the last bit.
    first: dict[EpisodeId, Packed] = {}
    for packed in episodes:
      first.setdefault(packed.episode.identity, packed)
    asked = [p for i, p in first.items() if self._needs_advice(i.cycle)]
    self._advise(asked)
    rest = [p for i, p in first.items() if not self._needs_advice(i.cycle)]
    self._commit(rest)

  def _refuse(self, packed: Packed, reason: str) -> None:
    """Tells of a refusal; what comes twice is one attempt."""
    identity = tuple(packed.episode.identity)
    key = (*identity, packed.digest)
    if key not in self._refused:
      self._refused[key] = self._conductor.attempts(identity)
    self._conductor.refused(identity, reason, self._refused[key])

  def take_advice(self) -> None:
    """Commits the episodes that the teacher has answered for."""
    if self._adviser is None:
      return
    answered = self._adviser.answered()
    self._commit([pack(episode) for episode in answered])
    for episode in answered:
      self._spool(episode.identity.cycle).discard(episode.identity)

  def _advise(self, episodes: Iterable[Packed]) -> None:
    """Has a teacher asked, once the episodes are safe."""
    adviser, lacking = self._adviser, []
    for packed in episodes:
      identity = packed.episode.identity
      if identity in self._store(identity.cycle):
        self._spool(identity.cycle).discard(identity)
      elif adviser is not None and identity not in adviser:
        lacking.append(packed)
    _commit_to(self._spool, lacking)
    for episode, _, _ in lacking:
      assert adviser is not None
      self._conductor.kept(tuple(episode.identity))
      adviser.ask(episode)

  def _commit(self, episodes: Sequence[Packed]) -> None:
    due = [p for p in episodes if p.episode.identity not in self._delivered]
    identities = [packed.episode.identity for packed in due]
    new = {i for i in identities if i not in self._store(i.cycle)}
    if due:
      _commit_to(self._store, due)
      self._deliver(due, new)

  def _deliver(
    self, episodes: Sequence[Packed], new: Collection[EpisodeId]
  ) -> None:
    self._writer.write_all(episodes)
    self._conductor.committed(
      [
        (tuple(e.identity), digest, e.episode_return, e.num_steps,
         e.identity in new)
        for e, _, digest in episodes
      ]
    )  # fmt: skip
    self._delivered.update(packed.episode.identity for packed in episodes)

  def _checked(self, store: EpisodeStore, cycle: int) -> EpisodeStore:
    """A store of a cycle, without what is none of it."""
    check = functools.partial(self._admission.check_stored, cycle)
    for path, reason in store.quarantine(check):
      print(f'Set aside {path}: {reason}', file=sys.stderr, flush=True)
    return store

  def _needs_advice(self, cycle: int) -> bool:
    """Demonstrations come with the demonstrator's."""
    return self._adviser is not None and cycle > 0


def _commit_to(
  store_of: Callable[[int], EpisodeStore], episodes: Iterable[Packed]
) -> None:
  """Commits episodes to the stores of their cycles."""
  for cycle, group in itertools.groupby(
    episodes, lambda packed: packed.episode.identity.cycle
  ):
    store_of(cycle).commit_all(list(group))
