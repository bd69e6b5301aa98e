"""Which episodes were refused, and why: written down before it counts."""

from datasets.files import DamagedFileError
from datasets.schema import shortened
from datasets.types import EpisodeId
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table

_COLUMNS = ('actor', 'episode', 'attempt', 'reason')
_KEYS = _COLUMNS[:3]


class Refusals:
  """The tables refused.csv of a run's cycles."""

  def __init__(self, run: str, directory: RunDirectory):
    self._run = run
    self._directory = directory

  def add(self, identity: EpisodeId, attempt: int, reason: str) -> None:
    """Writes one down, durably; a second time changes nothing."""
    path = self._directory.cycle(identity.cycle) / 'refused.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    row = {**identity._asdict(), 'attempt': attempt, 'reason': reason}
    Table(path, _COLUMNS, _KEYS).add({name: row[name] for name in _COLUMNS})

  def of(self, cycle: int) -> list[tuple[EpisodeId, int]]:
    """Those of a cycle, each with its attempt.

    Raises:
      DamagedFileError: the table holds something else.
    """
    path = self._directory.cycle(cycle) / 'refused.csv'
    if not path.exists():
      return []
    found = []
    for row in Table(path, _COLUMNS, _KEYS).rows:
      try:
        actor, episode, attempt = (int(row[key]) for key in _KEYS)
      except ValueError as error:
        raise DamagedFileError(
          path,
          f'{shortened(row)} tells of no attempt: {error}; restore it, or '
          'remove it',
        ) from error
      found.append((EpisodeId(self._run, cycle, actor, episode), attempt))
    return found
