"""Which policy acts in which cycle, and what people decided about that.

Cycle k acts with what cycle k - 1 published, unless a person has rolled it
back to an earlier policy. Nothing that was deployed is ever written again.
"""

import datetime
from pathlib import Path
from typing import NamedTuple

from agents.deployed.policy import Policy
from datasets.files import DamagedFileError
from datasets.schema import shortened
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table

_COLUMNS = ('number', 'cycle', 'to', 'digest', 'by', 'time')
_LONGEST = 100  # Characters of a person's name.


class Rollback(NamedTuple):
  """A decision that a cycle acts with an earlier policy.

  Attributes:
    cycle: which acts with it.
    to: the cycle that published the policy.
    digest: of the policy.
    by: who decided.
    time: when, in ISO's form.
  """

  cycle: int
  to: int
  digest: str
  by: str
  time: str


def gate_path(directory: RunDirectory, cycle: int) -> Path:
  """What the gate said of a cycle's policy."""
  return directory.cycle(cycle) / 'gate.json'


def candidate_path(directory: RunDirectory, cycle: int) -> Path:
  """The policy of a cycle that waits for a person, or was held back."""
  return directory.cycle(cycle) / 'candidate.npz'


def approval_path(directory: RunDirectory, cycle: int) -> Path:
  """What a person decided about it."""
  return directory.cycle(cycle) / 'approval.json'


def rollbacks(directory: RunDirectory) -> list[Rollback]:
  """All of a run, in the order in which they were decided.

  Raises:
    DamagedFileError: the journal holds something else.
  """
  path = _journal(directory)
  if not path.exists():
    return []
  found = []
  for row in Table(path, _COLUMNS, _COLUMNS[:1]).rows:
    try:
      cycle, to = int(row['cycle']), int(row['to'])
      rest = (row[name] for name in ('digest', 'by', 'time'))
      found.append(Rollback(cycle, to, *rest))
    except (KeyError, ValueError) as error:
      raise DamagedFileError(
        path, f'{shortened(row)} is no rollback; restore it'
      ) from error
  return found


def source_in(directory: RunDirectory, cycle: int) -> int:
  """The cycle that published what acts in a cycle, from 1."""
  for rollback in reversed(rollbacks(directory)):
    if rollback.cycle == cycle:
      return rollback.to
  return cycle - 1


def path_in(directory: RunDirectory, cycle: int) -> Path:
  """The file of the policy that acts in a cycle, from 1."""
  return directory.policy_path(source_in(directory, cycle))


def policy_in(directory: RunDirectory, cycle: int) -> Policy:
  """The policy that acts in a cycle, from 1."""
  return Policy.from_bytes(path_in(directory, cycle).read_bytes())


def roll_back(
  directory: RunDirectory, cycles: int, to: int, by: str
) -> Rollback:
  """Has the next cycle act with an earlier policy.

  Args:
    directory: of a run that nobody runs at the moment.
    cycles: that it has.
    to: the cycle that published the policy.
    by: who decides.

  Raises:
    ValueError: the next cycle has episodes, there is no such policy, or the
      name is none.
  """
  check_name(by)
  cycle = directory.finished_cycles(cycles)
  if not cycle:
    raise ValueError(
      f'{directory.root} has published no policy yet: there is nothing to roll '
      'back.'
    )
  if not 0 <= to < cycle:
    raise ValueError(
      f'--to is {to}; {directory.root} has published the policies 0 … '
      f'{cycle - 1}.'
    )
  episodes = len(directory.episodes_in(cycle))
  if episodes:
    raise ValueError(
      f'Cycle {cycle} has {episodes} episodes of the policy that it began '
      f'with, so that it keeps that; roll back when it is done (then cycle '
      f'{cycle + 1} has none).'
    )
  policy = Policy.from_bytes(directory.policy_path(to).read_bytes())
  rollback = Rollback(cycle, to, policy.digest, by, now())
  table = Table(_journal(directory), _COLUMNS, _COLUMNS[:1])
  table.add({'number': len(table.rows), **rollback._asdict()})
  return rollback


def waits_for_person(directory: RunDirectory, cycle: int) -> bool:
  """Whether a cycle's policy is learned, and nobody has decided on it yet."""
  gate = directory.read_json(gate_path(directory, cycle))
  if gate is None or not gate['verdict'].startswith('waits'):
    return False
  decision = directory.read_json(approval_path(directory, cycle))
  return decision is None or decision['candidate'] != gate['candidate']


def check_name(by: str) -> None:
  """Refuses what is no name of a person."""
  if not by.strip() or len(by) > _LONGEST or not by.isprintable():
    raise ValueError(
      f'--by is {shortened(by)}; it must be a name of 1 to {_LONGEST} '
      'printable characters.'
    )


def now() -> str:
  """The time, to the second, in ISO's form."""
  return datetime.datetime.now(datetime.timezone.utc).isoformat(
    timespec='seconds'
  )


def _journal(directory: RunDirectory) -> Path:
  return directory.root / 'rollbacks.csv'
