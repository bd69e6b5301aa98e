"""Takes logs into a run: python -m launchers.ingest RUN FILES.

Of a run on a system that is only described, whose episodes come from outside.
The same file a second time changes nothing. Its last line is JSON.
"""

import dataclasses
from pathlib import Path
from typing import Any, Optional

from rich.console import Console
import tyro

from datasets import bounds
from launchers import command_line, options
from launchers.display import progress_bar
from launchers.hosts import process
from launchers.runs.run_directory import RunDirectory

_SOME_REFUSED = 1  # An exit code.


@dataclasses.dataclass(frozen=True)
class IngestConfig:
  """Takes episodes from files into the cycle that a run collects now.

  Minari and other HDF5, RLDS, LeRobot, NPZ, CSV and Parquet. What is not whole,
  beyond its bounds or of another policy is refused by its row, and stops no
  other.
  """

  run: tyro.conf.Positional[Path]
  """A run directory, runs/NAME."""
  files: tyro.conf.Positional[tuple[Path, ...]] = ()
  """Files, or directories of them."""
  cycle: Optional[int] = None
  """The cycle that they are of; None: the one that is collected now."""
  columns: Optional[Path] = None
  """A file that says which columns hold what; None: they are called like the
  fields of the description. See docs/real-systems.md."""
  policy: str = ''
  """The digest of the policy that acted, for logs that do not say."""
  watch: Optional[float] = None
  """Seconds between two looks at the directories, for what has come new, until
  Ctrl-C; None: one look."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(self, cycle=(0, None), watch=(0.1, 86_400))
    if not self.files:
      raise ValueError('No files: name some, or a directory that holds them.')


def ingest(
  config: IngestConfig, files: list[Path], console: Console
) -> dict[str, Any]:
  """Takes what is in some files.

  Returns:
    The summary, of JSON's types.

  Raises:
    OSError, ValueError: there is no such run, or nothing that it could take.
    DamagedFileError: a record of the run is damaged.
  """
  # pint and pandas, which --help can do without.
  from launchers.environments import described
  from launchers.logs import columns, door, intake, meaning

  directory = RunDirectory(config.run)
  standing = intake.open_cycle(directory, config.cycle)
  system = described.load(directory.system)
  of_log = columns.load(config.columns, system)
  with intake.lock(directory), progress_bar(console) as progress:
    entrance = door.Door(
      intake.Intake(directory, system, standing),
      meaning.Meaning(system, of_log),
      of_log.episode,
      config.policy,
      lambda line: console.print(
        line, style='yellow', markup=False, highlight=False, soft_wrap=True
      ),
    )
    bar = progress.add_task('ingesting', total=len(files), unit='files')
    for path in files:
      progress.update(bar, description=f'ingesting {path.name}')
      entrance.take(path)
      progress.update(bar, advance=1)
  found = entrance.outcome
  return {
    'run': str(config.run), 'cycle': standing.cycle, **found._asdict(),
    'missing': standing.missing - found.taken,
  }  # fmt: skip


def _say(result: dict[str, Any], console: Console) -> None:
  console.print(
    f'Cycle {result["cycle"]} of {result["run"]}: {result["taken"]} new '
    f'episodes, {result["known"]} known, {result["refused"]} refused, '
    f'{result["beyond"]} more than it takes; {result["missing"]} are missing.',
    markup=False, highlight=False, soft_wrap=True,
  )  # fmt: skip


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  refused = 0

  def work() -> dict[str, Any]:
    nonlocal refused
    config = command_line.parse(IngestConfig, 'launchers.ingest')
    process.prepare_environment()
    from launchers.logs import watching

    result: dict[str, Any] = {}
    for files in watching.looks(config.files, config.watch):
      if files or not result:
        result = ingest(config, files, console)
        refused += result['refused']
        _say(result, console)
    return result

  code = options.run_command(console, work, goes_on=True)
  return code or (_SOME_REFUSED if refused else 0)


if __name__ == '__main__':
  raise SystemExit(main())
