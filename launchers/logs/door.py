"""The door for logs: what passes is taken, what does not is named and left."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from datasets.files import DamagedFileError
from datasets.formats import reading
from datasets.formats.raw import RawEpisode
from datasets.validation import EpisodeRefused
from launchers.logs.intake import NOBODY, Arrival, Intake
from launchers.logs.meaning import Meaning

_BATCH = 64  # Episodes that become durable together.


class Outcome(NamedTuple):
  """What became of episodes, as numbers of them.

  Attributes:
    taken: are new, and durable.
    known: were taken before.
    beyond: are more than the cycle takes.
    refused: cannot be learned from; a file that cannot be read is one.
  """

  taken: int = 0
  known: int = 0
  beyond: int = 0
  refused: int = 0


class Door:
  """Lets in one file after the other; bounded memory, whatever their size.

  Attributes:
    outcome: of all files so far.
  """

  def __init__(
    self,
    intake: Intake,
    meaning: Meaning,
    episode: str,
    policy: str,
    tell: Callable[[str], None],
  ):
    """Has let in nothing yet.

    Args:
      intake: of the cycle.
      meaning: of its system's logs.
      episode: the column that tells the episodes of a table apart.
      policy: the digest of who acted, for logs that do not say.
      tell: is given a line for each that is refused.
    """
    self._intake = intake
    self._meaning = meaning
    self._episode = episode
    self._policy = policy
    self._tell = tell
    self.outcome = Outcome()

  def take(self, path: Path) -> None:
    """Takes the episodes of a file that pass."""
    arrivals: list[Arrival] = []
    for raw in self._read(path):
      try:
        episode = self._meaning.episode(raw, NOBODY)
        episode = self._intake.check(episode, self._policy)
      except EpisodeRefused as error:
        reason = str(error).removeprefix(f'{NOBODY}: ')
        self._refuse(f'{path}, {raw.where}: {reason}')
        continue
      arrivals.append(Arrival(episode, path, raw.where))
      if len(arrivals) == _BATCH:
        self._keep(arrivals)
        arrivals = []
    self._keep(arrivals)

  def _read(self, path: Path) -> Iterator[RawEpisode]:
    """What a file holds, up to where it is damaged."""
    try:
      yield from reading.read(path, self._episode)
    except (DamagedFileError, OSError, ValueError) as error:
      text = str(error)
      self._refuse(text if str(path) in text else f'{path}: {text}')

  def _keep(self, arrivals: list[Arrival]) -> None:
    taken, known, beyond = self._intake.take(arrivals)
    have = self.outcome
    self.outcome = Outcome(
      have.taken + taken, have.known + known, have.beyond + beyond, have.refused
    )

  def _refuse(self, reason: str) -> None:
    self._tell(f'Refused {reason}')
    self.outcome = self.outcome._replace(refused=self.outcome.refused + 1)
