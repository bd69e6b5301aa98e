"""Shows where a run is, from anywhere: python -m launchers.status HOST:PORT.

The run is started with --gateway.address; see docs/machines.md.
"""

import dataclasses
import json
from pathlib import Path
import sys
import time
from typing import Annotated, Any, Optional

from rich.console import Console
from rich.table import Table
import tyro

from launchers import command_line
from launchers.hosts import process
from launchers.workers.options import KeyFiles
from teachers import credentials

_PATIENCE = 10.0  # Seconds for which the run may be away.
_AWAY = 1  # An exit code.


@dataclasses.dataclass(frozen=True)
class Options:
  """Shows where a run is: its cycles, what goes on, and who acts.

  For a person on standard error; the last line, on standard output, is one JSON
  object of all that the run tells.
  """

  address: Annotated[str, tyro.conf.Positional]
  """host:port of the run's gateway."""
  token_file: Optional[Path] = None
  """A file with the run's token."""
  ca: Optional[Path] = None
  """The certificates, in PEM, that the run's own is signed by; or itself."""
  certificate: Optional[Path] = None
  """This host's own certificate, in PEM, for a run that asks for one."""
  key: Optional[Path] = None
  """Its private key, in PEM without a password."""
  server_name: str = ''
  """The name that the run's certificate is of; empty: the host's above."""

  def __post_init__(self) -> None:
    """Refuses what is no address."""
    credentials.split_address(self.address)


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  try:
    options = command_line.parse(Options, 'launchers.status')
    process.prepare_environment()
    found = _ask(options)
  except (OSError, ValueError) as error:
    console.print('[bold red]Refused:[/]', end=' ')
    text = command_line.describe(error)
    console.print(text, soft_wrap=True, markup=False, highlight=False)
    return process.REFUSED
  if found is None:
    console.print(
      f'{options.address} does not answer. Is the run there, and is this its '
      'gateway?',
      soft_wrap=True, markup=False, highlight=False,
    )  # fmt: skip
    return _AWAY
  run, cycles, status = found
  _show(console, run, cycles, status)
  print(json.dumps({'run': run, 'cycles': cycles, **status}))
  return 0


def _ask(options: Options) -> Optional[tuple[str, int, dict[str, Any]]]:
  """What the run says; None: it is away."""
  # gRPC takes a while, which --help can do without.
  from launchers.acting.outcomes import ActingStoppedError
  from launchers.workers.core import Core, TurnedAwayError

  deadline = time.monotonic() + _PATIENCE

  def wait(seconds: float) -> bool:
    time.sleep(seconds)
    return time.monotonic() > deadline

  files = KeyFiles.of(
    options.token_file, options.ca, options.certificate, options.key,
    server_name=options.server_name,
  )  # fmt: skip
  core = Core(options.address, files.read(), 'status', wait, lambda _: None)
  try:
    return core.status()
  except ActingStoppedError:
    return None
  except TurnedAwayError as error:
    raise ValueError(str(error)) from error
  finally:
    core.close()


def _show(
  console: Console, run: str, cycles: int, status: dict[str, Any]
) -> None:
  from launchers import display

  what, done, total, unit = display.activity(status)
  amount = f' {done}/{total} {unit}' if total else ''
  table = Table(title=f'{run}: cycle {status["cycle"]} of {cycles}')
  for column in ('cycle', 'episodes', 'steps', 'return of who acted'):
    table.add_column(column, justify='right')
  for cycle, (count, quota) in sorted(status['collected'].items()):
    returns = status['returns'].get(cycle)
    earned = (
      f'{returns["return_mean"]:.1f} ± {returns["return_std"]:.1f}'
      if returns
      else ''
    )
    steps = f'{status["steps"].get(cycle, 0):,}'
    table.add_row(str(cycle), f'{count}/{quota}', steps, earned)
  console.print(table)
  console.print(f'{what}{amount}', markup=False, highlight=False)
  lines = [*status['warnings'], *display.waiting_lines(status)]
  for line in [*lines, *display.hosts_lines(status, num_actors=0)]:
    console.print(line, soft_wrap=True, markup=False, highlight=False)


if __name__ == '__main__':
  sys.exit(main())
