"""What a run says when its command ends, whatever it has come to."""

import json

from rich.console import Console

from launchers.reports.cycles import cycle_table
from launchers.runs import saved, standing
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory


def say_what_it_waits_for(directory: RunDirectory, console: Console) -> None:
  """Says which episodes a run waits for, if it does."""
  now = standing.of(directory)
  if now.waits_for_person:
    console.print(
      f'A person is to decide on the policy of cycle {now.cycle}: '
      f'`python -m launchers.approve {directory.root} {now.cycle} --by NAME`.',
      markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
  elif now.missing:
    console.print(
      f'It waits for {now.missing} episodes of cycle {now.cycle}: '
      f'`python -m launchers.cycle {directory.root}` says of which policy. '
      'When they are taken in, the same command goes on.',
      markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def print_table(
  config: GrowingBatchConfig, directory: RunDirectory, console: Console
) -> None:
  """The one table that stays, of a run that is done or was stopped."""
  table = cycle_table(config, directory, width=console.width)
  console.print(table, highlight=False)
  notice = saved.set_aside(directory)
  if notice:
    console.print(
      notice, style='bold yellow', highlight=False, markup=False, soft_wrap=True
    )


def draw_report(directory: RunDirectory, console: Console) -> None:
  """Draws the curves and tables, and says where they are."""
  from launchers.reports import loading, report

  run = loading.load_run(directory.root)
  page = report.write(run)
  console.print(f'Curves and tables: {page}', highlight=False, soft_wrap=True)
  report.say(run, console)


def conclude(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  console: Console,
  wall_seconds: float,
) -> None:
  """Prints, as the last line, one JSON object."""
  teacher = directory.read_json(directory.teacher_result) or {}
  records = [
    directory.read_json(directory.cycle(cycle) / 'cycle.json') or {}
    for cycle in range(config.cycles + 1)
  ]
  result = {
    'teacher_return': teacher.get('return_mean'),
    'returns': [record.get('evaluation_return_mean') for record in records],
    'wall_seconds': round(wall_seconds, 1),
    'run': str(directory.root),
  }
  console.file.flush()
  print(json.dumps(result), flush=True)
