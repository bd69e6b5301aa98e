"""Takes what came from outside into a cycle of a run: each episode once.

Which episode came from where is written down before the episode is kept, so
that a command which is killed between the two does the same at its next start.
"""

from collections.abc import Iterator, Sequence
import contextlib
import datetime
import fcntl
from pathlib import Path
from typing import NamedTuple, Optional

from datasets.packed import digest_of_episode, pack
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from datasets.validation import EpisodeRefused, check_episode
from launchers.environments.described import System
from launchers.logs.meaning import UNKNOWN
from launchers.runs import standing as standing_lib
from launchers.runs.run_directory import RunDirectory
from launchers.runs.standing import Standing
from launchers.runs.tables import Table

NOBODY = EpisodeId('log', 0, 0, 0)
"""Of an episode that is not taken yet."""

_COLUMNS = ('episode', 'content', 'file', 'where', 'time')
_KEYS = _COLUMNS[:2]


class Arrival(NamedTuple):
  """An episode, and where it came from.

  Attributes:
    episode: of any identity.
    file: that it was in.
    where: it stood there.
  """

  episode: Episode
  file: Path
  where: str


class Intake:
  """Of one cycle of a run; whoever has it holds the run's `lock`."""

  def __init__(
    self, directory: RunDirectory, system: System, standing: Standing
  ):
    """Reads what was taken before.

    Args:
      directory: of the run.
      system: that it is on.
      standing: of the run, whose cycle it is.
    """
    self._directory = directory
    self._task = system.task
    self._standing = standing
    self._inbox = EpisodeStore(directory.inbox(standing.cycle).directory)
    # One policy may act in several cycles: a log is of the first that took it.
    self._earlier = {
      row['content']
      for cycle in range(standing.cycle)
      if directory.ingested(cycle).exists()
      for row in Table(directory.ingested(cycle), _COLUMNS, _KEYS).rows
    }
    self._journal = Table(directory.ingested(standing.cycle), _COLUMNS, _KEYS)

  def check(self, episode: Episode, claimed: str) -> Episode:
    """Passes an episode that the cycle can learn from.

    Args:
      episode: as its log has it.
      claimed: the digest of the policy that acted, for a log that names none.

    Returns:
      The episode, with its policy.

    Raises:
      EpisodeRefused: says why.
    """
    if episode.policy == UNKNOWN and claimed:
      episode = episode._replace(policy=claimed)
    wanted = self._standing.policy
    if wanted and episode.policy != wanted:
      raise EpisodeRefused(self._other_policy(episode.policy))
    check_episode(episode, self._task.spec, task=self._task)
    return episode

  def take(self, arrivals: Sequence[Arrival]) -> tuple[int, int, int]:
    """Keeps the new ones; when it returns, they are durable.

    Args:
      arrivals: episodes that pass `check`.

    Returns:
      How many were new, how many were known, and how many are too many.
    """
    cycle, quota = self._standing.cycle, self._standing.quota
    present = self._directory.episodes_in(cycle)
    # The last that a number was given to has it.
    owner = {int(r['episode']): r['content'] for r in self._journal.rows}
    known = self._earlier | {owner[n] for n in present if n in owner}
    free = (n for n in range(quota) if n not in present)
    kept: list[Episode] = []
    repeated = 0
    for episode, file, where in arrivals:
      content = digest_of_episode(episode._replace(identity=NOBODY))
      if content in known:
        repeated += 1
        continue
      number = next(free, None)
      if number is None:
        break
      known.add(content)
      self._journal.add({
        'episode': number, 'content': content, 'file': str(file),
        'where': where, 'time': _now(),
      })  # fmt: skip
      kept.append(episode._replace(identity=self._identity(number)))
    self._inbox.commit_all([pack(episode) for episode in kept])
    return len(kept), repeated, len(arrivals) - len(kept) - repeated

  def _identity(self, number: int) -> EpisodeId:
    run = self._directory.root.resolve().name
    return EpisodeId(run, self._standing.cycle, 0, number)

  def _other_policy(self, policy: str) -> str:
    cycle, wanted = self._standing.cycle, self._standing.policy
    if policy == UNKNOWN:
      return (
        f'it does not say which policy acted; in cycle {cycle} that is '
        f'{wanted}. Log it in every row, or say --policy DIGEST.'
      )
    for earlier in range(cycle - 1):
      acted = self._directory.policy(earlier)
      if acted is not None and acted.digest == policy:
        return (
          f'the policy of cycle {earlier} acted in it, whose data were those '
          f'of cycle {earlier + 1}; cycle {cycle} is collected by {wanted}.'
        )
    return (
      f'policy {policy} acted in it; cycle {cycle} is collected by {wanted}.'
    )


def _now() -> str:
  return datetime.datetime.now(datetime.timezone.utc).isoformat('T', 'seconds')


@contextlib.contextmanager
def lock(directory: RunDirectory) -> Iterator[None]:
  """Waits until nobody else takes in episodes of this run."""
  with (directory.root / '.ingest.lock').open('w') as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    yield


def open_cycle(directory: RunDirectory, wanted: Optional[int]) -> Standing:
  """The cycle that takes episodes now.

  Args:
    directory: of the run.
    wanted: the cycle that a person means; None: any.

  Raises:
    FileNotFoundError: there is no such run.
    ValueError: that cycle takes none, now or any more.
  """
  standing = standing_lib.of(directory)
  name = directory.root
  if not directory.system.exists():
    raise ValueError(
      f'{name} acts its own episodes: its task is no system that is only '
      'described.'
    )
  if standing.is_done:
    raise ValueError(f'{name} is done: its {standing.cycles} cycles are full.')
  cycle = standing.cycle if wanted is None else wanted
  if cycle < standing.cycle or (
    cycle == standing.cycle and standing.is_learned
  ):
    raise ValueError(
      f'Cycle {cycle} of {name} is learned already: what comes late changes '
      f'nothing any more. Now cycle {standing.cycle} is under way.'
    )
  if cycle > standing.cycle:
    raise ValueError(
      f'Cycle {cycle} of {name} has not begun: cycle {standing.cycle} is under '
      f'way, and its policy comes first.'
    )
  return standing
