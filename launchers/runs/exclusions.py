"""Cycles whose data are no longer learned from, by whose decision and why.

Decisions are appended and stay; the last one on a cycle holds.
"""

import datetime

from datasets.files import DamagedFileError
from launchers.runs import standing
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table

_COLUMNS = (
  'number',
  'cycle',
  'decision',
  'since_cycle',
  'by',
  'reason',
  'time',
)
_EXCLUDED, _INCLUDED = 'excluded', 'included'


def of(directory: RunDirectory) -> frozenset[int]:
  """The cycles that are excluded.

  Raises:
    DamagedFileError: the decisions cannot be read.
  """
  if not directory.exclusions.exists():
    return frozenset()
  last: dict[int, str] = {}
  for row in _table(directory).rows:
    if not row['cycle'].isdigit() or row['decision'] not in (
      _EXCLUDED, _INCLUDED
    ):  # fmt: skip
      raise DamagedFileError(
        directory.exclusions, f'{row} is no decision; restore it'
      )
    last[int(row['cycle'])] = row['decision']
  return frozenset(c for c, decision in last.items() if decision == _EXCLUDED)


def decide(
  directory: RunDirectory, cycle: int, is_out: bool, by: str, reason: str
) -> int:
  """Writes a decision down; whoever calls has the run's lock.

  Args:
    directory: of the run.
    cycle: whose data are to be learned from no longer, or again.
    is_out: no longer.
    by: who decides.
    reason: why.

  Returns:
    The first cycle that is learned without it, or with it again.

  Raises:
    ValueError: it cannot be decided, now or at all.
  """
  now = standing.of(directory)
  name = directory.root
  if not by or not reason:
    raise ValueError('Say who decides and why: --by NAME --reason TEXT.')
  if not 1 <= cycle < now.cycle:
    raise ValueError(
      f'Cycle {cycle} of {name} cannot be decided on; those that can are 1 to '
      f'{now.cycle - 1}, which are finished and deployed.'
    )
  if now.is_done:
    raise ValueError(
      f'{name} is done: nothing will be learned. Append cycles first.'
    )
  if now.is_learned:
    raise ValueError(
      f'Cycle {now.cycle} of {name} is being learned from the data as they '
      'were: decide when it is finished.'
    )
  if (cycle in of(directory)) == is_out:
    state = _EXCLUDED if is_out else _INCLUDED
    raise ValueError(f'Cycle {cycle} of {name} is {state} already.')
  table = _table(directory)
  time = datetime.datetime.now(datetime.timezone.utc)
  table.add({
    'number': len(table.rows), 'cycle': cycle,
    'decision': _EXCLUDED if is_out else _INCLUDED, 'since_cycle': now.cycle,
    'by': by, 'reason': reason, 'time': time.isoformat('T', 'seconds'),
  })  # fmt: skip
  return now.cycle


def _table(directory: RunDirectory) -> Table:
  return Table(directory.exclusions, _COLUMNS, ('number',))
