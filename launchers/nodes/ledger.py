"""The ledger: which episodes a run needs, has, and was refused."""

import collections
from collections.abc import Iterable
from typing import Any, Optional

from datasets.store import digest_of
from datasets.types import EpisodeId
from launchers.acting.outcomes import summary
from launchers.runs.config import GrowingBatchConfig


class RunFailedError(RuntimeError):
  """The run cannot go on as configured; the message says why."""


class Ledger:
  """Counts episodes by identity, so that none is lost or counted twice."""

  def __init__(self, config: GrowingBatchConfig):
    self._config = config
    self._digests: dict[int, dict[EpisodeId, str]] = collections.defaultdict(
      dict
    )
    # Whatever actor they name: an older version numbered its actors.
    self._present: dict[int, set[int]] = collections.defaultdict(set)
    self._returns: dict[int, list[float]] = collections.defaultdict(list)
    self._steps: dict[int, int] = collections.defaultdict(int)
    self._refusals: dict[EpisodeId, int] = {}
    self.new_steps = 0
    """Steps acted, rather than restored, since `forget_rate`."""

  def add(
    self,
    identity: EpisodeId,
    digest: str,
    episode_return: float,
    num_steps: int,
    is_new: bool,
  ) -> None:
    """Enters a durable episode; a second time changes nothing.

    Raises:
      ValueError: the run has no such episode.
    """
    if not self._config.wants(identity):
      raise ValueError(f'{identity} is no episode of {self._config.run_name}.')
    cycle = identity.cycle
    if identity.episode in self._present[cycle]:
      return
    self._present[cycle].add(identity.episode)
    self._digests[cycle][identity] = digest
    self._returns[cycle].append(episode_return)
    self._steps[cycle] += num_steps
    self.new_steps += num_steps if is_new else 0

  def refuse(
    self, identity: EpisodeId, reason: str, attempt: Optional[int] = None
  ) -> Optional[int]:
    """Notes a refusal; a second time, of the same attempt, changes nothing.

    Args:
      identity: of the episode.
      reason: for a person.
      attempt: which attempt at the episode it was; None: the present one.

    Returns:
      Which attempt it was, from 0; None if that was noted before.

    Raises:
      RunFailedError: more were refused than the configuration allows.
    """
    present = self.attempts(identity)
    if attempt is not None and attempt < present:
      return None
    self._refusals[identity] = present + 1
    count, quota = self.refused(identity.cycle), self.quota(identity.cycle)
    share = self._config.max_refused_fraction
    if count > share * quota:
      raise RunFailedError(
        f'{count} attempts at the {quota} episodes of cycle {identity.cycle} '
        f'were refused; max_refused_fraction allows {share}. The last one: '
        f'{reason} `launchers.check_environment` says more of an environment.'
      )
    return present

  def restore_refusal(self, identity: EpisodeId, attempt: int) -> None:
    """Notes a refusal of an earlier start.

    It fails no run: what was wrong may be mended since.
    """
    known = self.attempts(identity)
    self._refusals[identity] = max(known, attempt + 1)

  def attempts(self, identity: EpisodeId) -> int:
    """How often an episode was refused: the number of its present attempt."""
    return self._refusals.get(identity, 0)

  def is_missing(self, cycle: int, episode: int) -> bool:
    """Whether `cycle` lacks its episode of that number."""
    return episode not in self._present[cycle]

  def quota(self, cycle: int) -> int:
    """Episodes that `cycle` takes."""
    return self._config.episodes_in(cycle)

  def count(self, cycle: int) -> int:
    """Episodes that `cycle` has."""
    return len(self._digests[cycle])

  def is_full(self, cycles: Iterable[int]) -> bool:
    """Whether all these cycles have exactly their episodes."""
    return all(self.count(cycle) == self.quota(cycle) for cycle in cycles)

  def refused(self, cycle: int) -> int:
    """Episodes of `cycle` that were refused, at any start."""
    return sum(n for i, n in self._refusals.items() if i.cycle == cycle)

  def digests(self, cycles: Iterable[int]) -> dict[EpisodeId, str]:
    """The data of some cycles: each identity with its content's digest."""
    wanted: dict[EpisodeId, str] = {}
    for cycle in cycles:
      wanted.update(self._digests[cycle])
    return wanted

  def batch(self, cycle: int) -> dict[str, Any]:
    """What the data of `cycle` are; equal records mean equal data."""
    return {
      'episodes': self.count(cycle),
      'steps': self._steps[cycle],
      'digest': digest_of(self._digests[cycle]),
    }

  def returns(self, cycle: int) -> dict[str, Any]:
    """Summary of the returns collected in `cycle`.

    In one order, whatever the order of arrival: a restored run adds its
    episodes otherwise, and a float sum depends on it in the last bit.
    """
    return summary(sorted(self._returns[cycle]))

  def status(self) -> dict[str, Any]:
    """All of it, for a person."""
    cycles = list(self._digests)
    return {
      'collected': {c: (self.count(c), self.quota(c)) for c in cycles},
      'steps': dict(self._steps),
      'returns': {c: self.returns(c) for c in cycles if self.count(c)},
      'refused': sum(self._refusals.values()),
      'acted_steps': self.new_steps,
    }
