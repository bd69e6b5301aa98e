"""Runs a growing batch: python -m launchers.growing_batch --task cheetah-run.

The same command again goes on with a run that was stopped or killed.
"""

import dataclasses
import sys
from typing import Annotated

from rich.console import Console
import tyro

from datasets import files, ports
from launchers import command_line, local
from launchers import options as options_lib
from launchers.hosts import isolation, process
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.frozen import ConfigChangedError
from launchers.runs.launch_config import LaunchConfig
from launchers.runs.run_directory import RunIsLiveError
from teachers.errors import TeacherFailedError, TeacherUnavailableError

_AT_TOP = tyro.conf.arg(name='')  # Options without a prefix.
_REFUSED = 2  # An exit code.


@dataclasses.dataclass(frozen=True)
class Options:
  """Trains a policy over a few cycles of fixed-policy data collection.

  The defaults are the published configuration: 2M actor steps in 4 cycles and
  250k learner steps. The same command resumes a run that was stopped.
  """

  demo: bool = False
  """Take the options' defaults from the demonstration, a run of minutes."""
  run: Annotated[GrowingBatchConfig, _AT_TOP] = GrowingBatchConfig()
  launch: Annotated[LaunchConfig, _AT_TOP] = LaunchConfig()


def main() -> int:
  """The command; returns its exit code."""
  # A log file has no width of its own; the table wants this much.
  width = None if sys.stderr.isatty() else 110
  console = Console(stderr=True, width=width)
  try:
    words = options_lib.with_kind(sys.argv[1:])
    defaults = Options(run=options_lib.defaults_of(words))
    options = command_line.parse(
      Options, 'launchers.growing_batch', words, defaults
    )
    process.prepare_environment()
    # A chosen port means that others are to reach it: it stays outside.
    is_open = bool(options.launch.port)
    isolation.enter(
      'launchers.growing_batch',
      is_open,
      console,
      lambda: local.reached(options.run, options.launch),
    )
    if not options.run.cycles:
      console.print(
        'With --cycles 0 there is a clone, and its critic; --actor-steps and '
        '--learner-steps are of cycles that may be appended.',
        soft_wrap=True,
      )
    return local.run(options.run, options.launch, console)
  except (
    ConfigChangedError,
    RunIsLiveError,
    files.DamagedFileError,
    ports.PortInUseError,
    TeacherFailedError,
    TeacherUnavailableError,
    ValueError,
    OSError,
  ) as error:
    console.print('[bold red]Refused:[/]', end=' ')
    text = command_line.describe(error)
    console.print(text, soft_wrap=True, markup=False, highlight=False)
    return _REFUSED


if __name__ == '__main__':
  sys.exit(main())
