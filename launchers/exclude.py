"""Leaves the data of a cycle out: python -m launchers.exclude RUN --cycle K.

From the next cycle on; what was learned stays. The decision is recorded with
who took it and why, and can be taken back. Its last line is JSON.
"""

import dataclasses
from pathlib import Path
from typing import Any

from rich.console import Console
import tyro

from datasets import bounds
from launchers import command_line, options
from launchers.hosts import process
from launchers.runs import exclusions
from launchers.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class ExcludeConfig:
  """Has a run learn no longer from the data of one of its cycles.

  The run must not be up. The data themselves stay where they are.
  """

  run: tyro.conf.Positional[Path]
  """A run directory, runs/NAME."""
  cycle: int
  """The cycle, from 1."""
  by: str
  """Who decides."""
  reason: str
  """Why, in a sentence."""
  again: bool = False
  """Take it back: learn from these data again."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(self, cycle=(1, None))


def exclude(config: ExcludeConfig, console: Console) -> dict[str, Any]:
  """Records the decision.

  Returns:
    What holds now, of JSON's types.

  Raises:
    FileNotFoundError: there is no such run.
    RunIsLiveError: it is up.
    ValueError: it cannot be decided.
  """
  directory = RunDirectory(config.run)
  directory.check()
  with options.inhabited(directory):
    since = exclusions.decide(
      directory, config.cycle, not config.again, config.by, config.reason
    )
    out = sorted(exclusions.of(directory))
  again = ' again' if config.again else ''
  console.print(
    f'Cycle {since} and later ones learn {"with" if again else "without"} the '
    f'data of cycle {config.cycle}{again}.',
    markup=False, highlight=False, soft_wrap=True,
  )  # fmt: skip
  return {'run': str(config.run), 'excluded': out, 'since_cycle': since}


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(ExcludeConfig, 'launchers.exclude')
    process.prepare_environment()
    return exclude(config, console)

  return options.run_command(console, work)


if __name__ == '__main__':
  raise SystemExit(main())
