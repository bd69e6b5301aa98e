"""A finished run of a study: what it found and what made it."""

from collections.abc import Mapping
import dataclasses
from pathlib import Path
from typing import Any, Optional

from datasets.files import DamagedFileError
from launchers.reports import readers
from launchers.reports.data import RunRecord
from launchers.reports.loading import NotARunError, load_run
from launchers.runs import provenance, schemas
from launchers.runs.run_directory import RunDirectory
from launchers.studies import trained
from launchers.studies.config import Cell
from launchers.studies.offline import OfflineCell

COST = 'study.json'
"""In a run's directory: what the run has cost, over all its attempts."""

_MANY = 1_000_000

ROLES = ('demonstrator', 'advisor')

Cost = Mapping[str, float]
"""`cpu_seconds` and `wall_seconds`; empty where nobody noted them."""


@dataclasses.dataclass(frozen=True)
class Result:
  """A run, wherever it is read from: its directory, or the file of its cell.

  Attributes:
    run: configuration, curve, returns and losses.
    teachers: name and version of those that it had, by role.
    cost: of the run itself.
    start_cost: of the cycle 0 that it shares with others.
  """

  run: RunRecord
  teachers: Mapping[str, Mapping[str, str]]
  cost: Cost
  start_cost: Cost

  @property
  def provenance(self) -> list[dict[str, Any]]:
    """What its cycles ran with, and which cycles did; as a rule one entry."""
    found: list[dict[str, Any]] = []
    for cycle in self.run.finished:
      made_by = (cycle.summary or {}).get('provenance')
      if made_by is None:
        continue  # Older than this record.
      for entry in found:
        if entry == {**made_by, 'cycles': entry['cycles']}:
          entry['cycles'].append(cycle.number)
          break
      else:
        found.append({**made_by, 'cycles': [cycle.number]})
    return found


def is_older(run: RunRecord) -> bool:
  """Whether sources that gave other results made some of a run."""
  made_by = [(c.summary or {}).get('provenance') for c in run.finished]
  return any(map(_is_older, made_by))


def is_older_directory(root: Path) -> bool:
  """The same of a directory: of a run, of a training or of a log.

  Raises:
    NotARunError: it cannot be read.
  """
  config = readers.read_json(root / 'config.json') or {}
  if 'cycles' in config:
    return is_older(load_run(root))
  return _is_older(config.get('provenance'))


def _is_older(made_by: Any) -> bool:
  return not isinstance(made_by, Mapping) or (
    made_by.get('results') not in range(provenance.RESULTS, _MANY)
  )


def find(cell: Cell, root: Path, start: Path) -> tuple[Optional[Result], str]:
  """A cell's finished run, or why there is none; see `from_directory`."""
  if not isinstance(cell, OfflineCell):
    return from_directory(root, start)
  if not (root / 'config.json').exists():
    return None, 'not begun'
  try:
    run, reason = trained.load(root)
  except (NotARunError, DamagedFileError) as error:
    return None, str(error).replace(f'{root}/', '')
  if run is None:
    return None, reason
  return Result(run, {}, _cost(root), _cost(start)), ''


def from_directory(root: Path, start: Path) -> tuple[Optional[Result], str]:
  """A finished run, or why there is none, without a path of this machine.

  Args:
    root: the run's directory.
    start: that of the run whose cycle 0 it began with; it may be gone.
  """
  if not (root / 'config.json').exists():
    return None, 'not begun'
  try:
    run = load_run(root)
  except NotARunError as error:
    return None, str(error).replace(f'{root}/', '')
  done = len(run.finished) - 1
  if not run.is_finished:
    return None, f'unfinished: {max(done, 0)} of {run.num_cycles} cycles done'
  if run.teacher is None or 0 not in dict(run.finals):
    lacks = 'the return of its teacher (teacher.json) or of π_0'
    return None, f'finished, but without {lacks}'
  directory = RunDirectory(root)
  roles = [r for r in ROLES if directory.teacher_record(r).exists()]
  identities = {role: directory.teacher_identity(role) for role in roles}
  teachers = {
    role: {'name': name, 'version': version}
    for role, (name, version) in identities.items()
  }
  return Result(run, teachers, _cost(root), _cost(start)), ''


def _cost(root: Path) -> Cost:
  path = root / COST
  if not path.is_file():
    return {}
  return schemas.read(path)
