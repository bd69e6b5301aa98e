"""Where a run stands whose episodes come from outside, read from its files."""

from pathlib import Path
from typing import Any, NamedTuple

from launchers.runs import deployments, schemas
from launchers.runs.run_directory import RunDirectory


class Standing(NamedTuple):
  """The first cycle that is not finished.

  Attributes:
    cycle: its number; that of the cycles, plus 1, of a run that is done.
    cycles: the last one's number.
    quota: episodes that it takes.
    present: the numbers of those that it has.
    is_taken_in: whether some of them are on their way to where they are
      learned from.
    is_learned: whether its data are settled, and being learned from.
    waits_for_person: whether a person is to decide on its policy.
    policy: the digest of the one policy that acts in it; '' in cycle 0, where
      anyone may have acted.
    source: the cycle that published that policy; -1 in cycle 0.
    path: of that policy's file, or of the configuration.
    since: when that was written, in seconds since 1970.
  """

  cycle: int
  cycles: int
  quota: int
  present: frozenset[int]
  is_taken_in: bool
  is_learned: bool
  waits_for_person: bool
  policy: str
  source: int
  path: Path
  since: float

  @property
  def is_done(self) -> bool:
    """Whether all cycles are finished."""
    return self.cycle > self.cycles

  @property
  def missing(self) -> int:
    """Episodes that are to come."""
    return 0 if self.is_done else self.quota - len(self.present)


def of(directory: RunDirectory) -> Standing:
  """Where a run stands.

  Raises:
    FileNotFoundError: there is no run.
    files.DamagedFileError: its configuration is damaged.
  """
  config = _config(directory)
  cycles = config['cycles']
  cycle = directory.finished_cycles(cycles)
  is_done = cycle > cycles
  source = -1
  if cycle:
    source = cycles if is_done else deployments.source_in(directory, cycle)
  policy = directory.policy(source) if cycle else None
  path = directory.policy_path(source) if cycle else directory.config
  return Standing(
    cycle,
    cycles,
    0 if is_done else _quota(config, cycle),
    frozenset() if is_done else directory.episodes_in(cycle),
    bool(directory.episodes_in(cycle, 'unadvised', 'inbox')),
    (directory.cycle(cycle) / 'batch.json').exists(),
    not is_done and deployments.waits_for_person(directory, cycle),
    policy.digest if policy else '',
    source,
    path,
    path.stat().st_mtime,
  )


def _config(directory: RunDirectory) -> dict[str, Any]:
  directory.check()
  return schemas.read(directory.config)


def _quota(config: dict[str, Any], cycle: int) -> int:
  """As `GrowingBatchConfig.episodes_in`, of what is in its file."""
  if cycle == 0:
    return int(config['demonstrations']['episodes'])
  steps = config['cycles'] * config['episode_steps']
  return int(config['actor_steps'] // steps)
