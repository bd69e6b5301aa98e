"""Decides on a policy that waits: python -m launchers.approve RUN K.

A run with --gate.rule person waits after a cycle for what is decided here, and
goes on at once. The decision is kept with the cycle.
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
class ApproveConfig:
  """Lets a policy be deployed that waits for a person, or not."""

  run: tyro.conf.Positional[Path]
  """A run directory, runs/NAME."""
  cycle: tyro.conf.Positional[int]
  """The cycle whose policy waits."""
  by: str
  """Who decides; it is written down."""
  reject: bool = False
  """Do not deploy it: what is deployed now stays."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(self, cycle=(0, None))
    deployments.check_name(self.by)


def approve(config: ApproveConfig) -> dict[str, Any]:
  """Writes the decision down.

  Returns:
    It, with the cycle.

  Raises:
    FileNotFoundError: there is no such run.
    ValueError: that cycle's policy does not wait for anybody.
  """
  directory, cycle = RunDirectory(config.run), config.cycle
  directory.check()
  path = deployments.approval_path(directory, cycle)
  gate = directory.read_json(deployments.gate_path(directory, cycle))
  if gate is None or not gate['verdict'].startswith('waits'):
    state = 'was not judged yet' if gate is None else gate['verdict']
    raise ValueError(
      f'The policy of cycle {cycle} of {config.run} waits for nobody '
      f'({state}): nothing is to be decided.'
    )
  before = directory.read_json(path)
  if before is not None and before['candidate'] == gate['candidate']:
    verb = 'approved' if before['approved'] else 'rejected'
    raise ValueError(
      f'{before["by"]} {verb} the policy of cycle {cycle} at {before["time"]}; '
      'that stands. launchers.rollback has later cycles act with another one.'
    )
  record = {
    'approved': not config.reject,
    'by': config.by,
    'time': deployments.now(),
    'candidate': gate['candidate'],
  }
  directory.write_json(path, record)
  return {'cycle': cycle, **record}


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(ApproveConfig, 'launchers.approve')
    result = approve(config)
    verb = 'Approved' if result['approved'] else 'Rejected'
    console.print(
      f'{verb}: the policy of cycle {config.cycle}, {result["candidate"][:8]}.',
      markup=False, highlight=False,
    )  # fmt: skip
    return result

  return options.run_command(console, work)


if __name__ == '__main__':
  raise SystemExit(main())
