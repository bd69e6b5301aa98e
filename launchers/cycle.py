"""Shows what a run waits for: python -m launchers.cycle RUN.

From its files alone, whether or not it is up. Its last line is JSON.
"""

import dataclasses
import datetime
from pathlib import Path
import shlex
from typing import Any

from rich.console import Console
import tyro

from launchers import command_line, options
from launchers.hosts import process
from launchers.runs import exclusions
from launchers.runs import standing as standing_lib
from launchers.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class CycleConfig:
  """Shows which policy of a run is to act now, and how many episodes miss."""

  run: tyro.conf.Positional[Path]
  """A run directory, runs/NAME."""


def show(config: CycleConfig, console: Console) -> dict[str, Any]:
  """Says where a run stands.

  Returns:
    The same, of JSON's types.

  Raises:
    FileNotFoundError: there is no such run.
    DamagedFileError: a record of it is damaged.
  """
  directory = RunDirectory(config.run)
  now = standing_lib.of(directory)
  since = datetime.datetime.fromtimestamp(now.since, datetime.timezone.utc)
  run, have = shlex.quote(str(config.run)), len(now.present)
  if now.is_done:
    lines = [f'Done: cycles 0 to {now.cycles}. Deploy {now.path}.']
  else:
    lines = [
      f'Cycle {now.cycle} of {now.cycles}, since '
      f'{since.astimezone():%Y-%m-%d %H:%M}: {have} of {now.quota} episodes.'
    ]
  out = sorted(exclusions.of(directory))
  if out:
    lines.append(f'Without the data of cycles {", ".join(map(str, out))}.')
  if now.policy and not now.is_done:
    lines.append(f'Deploy {now.path} (policy {now.policy}), stand-alone by:')
    lines.append(f'  python -m launchers.export {run} --cycle {now.source}')
  if now.waits_for_person:
    lines.append('A person is to decide on the policy that was learned. By:')
    lines.append(f'  python -m launchers.approve {run} {now.cycle} --by NAME')
  if now.missing and directory.system.exists():
    lines.append(f'{now.missing} episodes are missing. Take them in by:')
    lines.append(f'  python -m launchers.ingest {run} FILES')
  elif not now.is_done and not directory.is_live:
    lines.append('It is not up: the command that began it goes on with it.')
  for line in lines:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
  return {
    'run': str(config.run), 'cycle': now.cycle, 'cycles': now.cycles,
    'is_done': now.is_done, 'is_live': directory.is_live,
    'episodes': have, 'quota': now.quota, 'missing': now.missing,
    'is_learned': now.is_learned,
    'waits_for_person': now.waits_for_person, 'excluded': out,
    'policy': now.policy, 'path': str(now.path),
    'since': since.isoformat('T', 'seconds'),
  }  # fmt: skip


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(CycleConfig, 'launchers.cycle')
    process.prepare_environment()
    return show(config, console)

  return options.run_command(console, work)


if __name__ == '__main__':
  raise SystemExit(main())
