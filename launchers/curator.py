"""The curator: what it lets through is durable, and only then learned from."""

from collections.abc import Callable
import sys
from typing import Any, Optional

from datasets import replay
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from datasets.validation import EpisodeRefused, check_episode
from launchers.config import GrowingBatchConfig
from launchers.environments import Environment
from launchers.run_directory import RunDirectory

_PAUSE = 0.2  # Seconds between two looks at an empty table.
_BATCH = 16  # Episodes taken at a time.


def run_curator(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  replay_address: str,
  incarnation: str,
  wait_for_stop: Callable[[float], bool],
) -> None:
  """The node: restores what is durable, then curates until the program stops.

  Args:
    config: of the run.
    directory: of the run; the curator alone writes episodes there.
    conductor: is told of every episode.
    replay_address: host:port of Reverb.
    incarnation: of Reverb.
    wait_for_stop: waits that many seconds; whether the program stops.
  """
  curator = Curator(config, directory, conductor, replay_address, incarnation)
  for cycle in conductor.open_cycles():
    curator.restore(cycle, wait_for_stop)
  conductor.restored()
  reader = replay.EpisodeReader(replay_address, 'collected', incarnation)
  while not wait_for_stop(0):
    episodes = reader.read(_BATCH)
    for episode in episodes:
      curator.receive(episode)
    if not episodes:
      wait_for_stop(_PAUSE)


class Curator:
  """Checks each episode, commits it to the store, hands it to the learner."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    conductor: Any,
    replay_address: str,
    incarnation: str,
  ):
    self._config = config
    self._directory = directory
    self._conductor = conductor
    self._spec = Environment(config.task).spec
    self._writer = replay.EpisodeWriter(replay_address, 'replay', incarnation)
    self._stores: dict[int, EpisodeStore] = {}
    self._delivered: set[EpisodeId] = set()

  def restore(self, cycle: int, wait_for_stop: Callable[[float], bool]) -> None:
    """Puts what the store holds back into Reverb.

    Damaged files are set aside, so that their episodes are collected again.
    """
    store = self._store(cycle)
    for path, reason in store.quarantine():
      print(f'Set aside {path}: {reason}', file=sys.stderr, flush=True)
    digests = store.digests()
    for episode in store:
      if wait_for_stop(0):
        return
      self._deliver(episode, digests[episode.identity], is_new=False)

  def receive(self, episode: Episode) -> None:
    """Commits an episode, or refuses it and has it collected again."""
    identity = episode.identity
    if not self._is_wanted(identity):
      print(f'Ignored {identity}: it is not of this run.', flush=True)
      return
    try:
      policy = self._conductor.policy_digest(identity.cycle)
      check_episode(episode, self._spec, policy, self._length(episode))
    except EpisodeRefused as error:
      print(f'Refused {identity}: {error}', flush=True)
      self._conductor.refused(tuple(identity), str(error))
      return
    store = self._store(identity.cycle)
    is_new = identity not in store
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

  def _store(self, cycle: int) -> EpisodeStore:
    if cycle not in self._stores:
      self._stores[cycle] = self._directory.store(cycle)
    return self._stores[cycle]

  def _is_wanted(self, identity: EpisodeId) -> bool:
    run, cycle, actor, episode = identity
    return (
      run == self._config.run_name
      and cycle in self._conductor.open_cycles()
      and 0 <= episode < self._config.episodes_in(cycle)
      and actor == episode % self._config.num_actors
    )

  def _length(self, episode: Episode) -> Optional[int]:
    """What its length must be: any, where it ended by a true termination."""
    has_end = len(episode.discounts) and episode.discounts[-1] == 0
    return None if has_end else self._config.episode_steps
