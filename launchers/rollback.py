"""Goes back to an earlier policy: python -m launchers.rollback RUN --to K.

Of a run that nobody runs at the moment; its own command goes on with it. What
was decided is appended to rollbacks.csv, and nothing that was deployed changes.
"""

import dataclasses
from pathlib import Path
from typing import Any

from rich.console import Console
import tyro

from datasets import bounds
from launchers import command_line, options
from launchers.hosts import process
from launchers.runs import deployments
from launchers.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class RollbackConfig:
  """Has the next cycle of a run act with an earlier policy."""

  run: tyro.conf.Positional[Path]
  """A run directory, runs/NAME."""
  to: int
  """The cycle that published the policy."""
  by: str
  """Who decides; it is written down."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(self, to=(0, None))
    deployments.check_name(self.by)


def rollback(config: RollbackConfig) -> dict[str, Any]:
  """Writes the decision down.

  Raises:
    FileNotFoundError: there is no such run.
    RunIsLiveError: it is being run.
    ValueError: there is no such policy, or the next cycle has begun.
  """
  directory = RunDirectory(config.run)
  directory.check()
  record = directory.read_json(directory.config) or {}
  with options.inhabited(directory):
    decided = deployments.roll_back(
      directory, record['cycles'], config.to, config.by
    )
  return decided._asdict()


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(RollbackConfig, 'launchers.rollback')
    result = rollback(config)
    console.print(
      f'Cycle {result["cycle"]} acts with the policy of cycle {config.to}, '
      f'{result["digest"][:8]}. The run goes on with its own command.',
      markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    return result

  return options.run_command(console, work)


if __name__ == '__main__':
  raise SystemExit(main())
