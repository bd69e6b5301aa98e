"""The conductor's half that actors and the curator call: what is to be acted.

What is missing is leased to whoever asks (`leases`), and counted when it has
come (`ledger`).
"""

import collections
from collections.abc import Sequence
import functools
import threading
from typing import Any, Optional

from agents.deployed.policy import Policy
from datasets.types import EpisodeId
from launchers.nodes.leases import Leases
from launchers.nodes.ledger import Ledger, RunFailedError
from launchers.nodes.refusals import Refusals
from launchers.runs import deployments, exclusions
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

HERE = 'this host'
"""Stands for the program's own, where hosts are named."""


class Collecting:
  """Which episodes a run has, lacks, and was refused."""

  def __init__(self, config: GrowingBatchConfig, directory: RunDirectory):
    """Begins where the directory is.

    Args:
      config: of the run.
      directory: of the run.
    """
    self._config = config
    self._directory = directory
    self._lock = threading.Lock()  # Courier calls handlers from many threads.
    self._ledger = Ledger(config)
    self._leases = Leases()
    # Episodes by cycle and host, as far as this process has seen them.
    self._acted: dict[int, collections.Counter[str]] = collections.defaultdict(
      collections.Counter
    )
    self._phase = 'restore'
    self._cycle = directory.finished_cycles(config.cycles)
    self._policies: dict[int, Policy] = {}
    self._failure: Optional[RunFailedError] = None
    self._refusals = Refusals(config.run_name, directory)
    # Decided on while no program is up.
    self._excluded = exclusions.of(directory)
    for cycle in self._cycles():
      for refusal in self._refusals.of(cycle):
        self._ledger.restore_refusal(*refusal)

  def act_order(
    self, worker: str, most: int, first_cycle: int = 0
  ) -> Optional[dict[str, Any]]:
    """What a worker should act now: cycle, noise, (episode, attempt) pairs.

    Args:
      worker: its name; what it is given is leased to it.
      most: episodes that it acts side by side.
      first_cycle: that it can act in.
    """
    with self._lock:
      self._leases.renew(worker)
      if self._phase == 'act':
        for cycle in self._cycles():
          if cycle < first_cycle:
            continue
          ledger = self._ledger
          granted = self._leases.grant(
            worker, cycle, ledger.quota(cycle),
            functools.partial(ledger.is_missing, cycle), most,
          )  # fmt: skip
          if granted:
            run = self._config.run_name
            episodes = [
              (episode, ledger.attempts(EpisodeId(run, cycle, 0, episode)))
              for episode in granted
            ]
            noise = self._config.noise_in(cycle)
            return {'cycle': cycle, 'noise': noise, 'episodes': episodes}
      return None

  def alive(self, worker: str) -> None:
    """Told by a worker amid its episodes that it goes on."""
    with self._lock:
      self._leases.renew(worker)

  def left(self, worker: str) -> None:
    """Told that a worker has gone: others get its episodes."""
    with self._lock:
      self._leases.leave(worker)

  def kept(self, identity: tuple[Any, ...]) -> None:
    """Told of an episode that is durable, and waits for its advice."""
    with self._lock:
      episode = EpisodeId(*identity)
      self._leases.keep((episode.cycle, episode.episode))

  def policy(self, cycle: int) -> bytes:
    """The one policy that acts in `cycle`, as `Policy.from_bytes` reads it.

    In cycle 0 the demonstrator acts.
    """
    with self._lock:
      return self._policy(cycle).to_bytes()

  def policy_digest(self, cycle: int) -> str:
    """Which policy acts in `cycle`; the demonstrator's version in cycle 0."""
    with self._lock:
      if cycle == 0:
        return self._directory.teacher_identity('demonstrator')[1]
      return self._policy(cycle).digest

  def open_cycles(self) -> list[int]:
    """The cycles whose episodes are learned from now."""
    with self._lock:
      return self._cycles()

  def committed(self, episodes: Sequence[tuple[Any, ...]]) -> None:
    """Told of episodes that are durable.

    Args:
      episodes: of each its identity, and what `Ledger.add` takes besides.
    """
    with self._lock:
      for identity, *facts in episodes:
        episode = EpisodeId(*identity)
        self._ledger.add(episode, *facts)
        worker = self._leases.end((episode.cycle, episode.episode))
        if worker is not None:
          self._acted[episode.cycle][_host_of(worker)] += 1

  def attempts(self, identity: tuple[Any, ...]) -> int:
    """How often an episode was refused: the number of its present attempt."""
    with self._lock:
      return self._ledger.attempts(EpisodeId(*identity))

  def restored(self) -> None:
    """Told that every durable episode has been announced."""
    with self._lock:
      if self._phase == 'restore':
        self._phase = 'act'

  def refused(
    self,
    identity: tuple[Any, ...],
    reason: str,
    attempt: Optional[int] = None,
  ) -> None:
    """Told of an episode that failed or was refused; it is collected again.

    Args:
      identity: of the episode.
      reason: for a person.
      attempt: at the episode; told of it a second time, nothing changes. None:
        the present one.
    """
    with self._lock:
      episode = EpisodeId(*identity)
      present = self._ledger.attempts(episode)
      noted = present if attempt is None else attempt
      if noted < present:
        return
      self._refusals.add(episode, noted, reason)
      self._leases.end((episode.cycle, episode.episode))
      try:
        self._ledger.refuse(episode, reason, noted)
      except RunFailedError as error:
        self._failure = error

  def _hosts(self) -> dict[str, tuple[int, int]]:
    """Of each host its workers, and its episodes of the present cycle."""
    workers = collections.Counter(map(_host_of, self._leases.workers))
    acted = self._acted[self._cycle]
    hosts = sorted(workers.keys() | acted.keys())
    return {host: (workers[host], acted[host]) for host in hosts}

  def _policy(self, cycle: int) -> Policy:
    if cycle not in self._policies:
      policy = deployments.policy_in(self._directory, cycle)
      self._policies[cycle] = policy
    return self._policies[cycle]

  def _cycles(self) -> list[int]:
    """The cycles whose data are learned from in the present one.

    Cloning needs the demonstrations; what follows only when they are mixed.
    """
    is_first_needed = self._cycle == 0 or self._config.mix_demonstrations
    first = 0 if is_first_needed else 1
    return [
      cycle
      for cycle in range(first, self._cycle + 1)
      if cycle not in self._excluded
    ]


def _host_of(worker: str) -> str:
  """The host in 'HOST/actor/0'; HERE for an actor of the program."""
  host, *rest = worker.rsplit('/', 2)
  return host if len(rest) == 2 else HERE
