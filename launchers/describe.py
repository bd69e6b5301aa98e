"""What an observation and an action hold: python -m launchers.describe TASK.

For whoever writes a teacher, in any language: the name, the place, the size,
the unit where it is known, and the bounds of each field.
"""

import dataclasses
import json
import math
from pathlib import Path
import sys
from typing import Any, Optional

from rich.console import Console
from rich.table import Table
import tyro

from datasets.tasks import Bounds, Field, Task, offsets
from launchers import command_line, options
from launchers.acting import places as acting_places
from launchers.environments import names
from launchers.environments.suite import Environment
from launchers.hosts import process
from teachers import registry, snapshot
from teachers.errors import TeacherUnavailableError

_PATIENCE = 10.0  # Seconds to wait for a service.
_COLUMNS = ('field', 'offset', 'size', 'shape', 'unit', 'low', 'high')
_MAX_BOUNDS = 4  # Of a field, that the table shows; --json shows all.


@dataclasses.dataclass(frozen=True)
class DescribeConfig:
  """Prints what the numbers of a task are."""

  what: tyro.conf.Positional[str]
  """A task, as after --task; or what carries one: a shipped snapshot
  (TASK/TIER), the path of a policy or a snapshot, or grpc://host:port."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  json: bool = False
  """Print it as JSON on the standard output, with offsets and sizes."""


def describe(what: str, action_bound: Optional[float] = None) -> Task:
  """The task of that name, or the one that something carries.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it is none of these, or carries no task; says what to do.
    TeacherUnavailableError: a service does not answer.
  """
  registry.check_form(what)
  if registry.is_service(what):
    from teachers import client  # gRPC, which the others do without.

    try:
      carried = client.connect(
        [what], patience=_PATIENCE, on_trouble=lambda _: None
      ).task
    except TeacherUnavailableError as error:
      raise TeacherUnavailableError(
        f'{error}. Start the service, or correct the address: the line that '
        'launchers.teach prints has it.'
      ) from error
  elif _is_file(what) and not names.is_described(what):
    carried = snapshot.load(what).task
  else:
    return acting_places.describe(what, action_bound).task
  if carried is None:
    raise ValueError(
      f'{what} does not say what task it is of: it is older than that. Ask for '
      'the task by its name.'
    )
  return carried if carried.fields else _known(carried)


def to_json(task: Task) -> dict[str, Any]:
  """The task as plain data, with the offset and the size of each field."""
  tree = task.to_json()
  for key, fields in (
    ('observations', task.observations), ('actions', task.actions)
  ):  # fmt: skip
    places = zip(tree[key], fields, offsets(fields), strict=True)
    tree[key] = [
      {**kept, 'offset': offset, 'size': field.size}
      for kept, field, offset in places
    ]
  return tree


def show(task: Task, console: Console) -> None:
  """Prints the task for a person."""
  console.print(f'[bold]{task.name}[/]', highlight=False)
  for what, size, fields in (
    ('observation', task.observation_size, task.observations),
    ('action', task.action_size, task.actions),
  ):
    title = f'An {what}: {size} numbers, float32'
    table = Table(*_COLUMNS, title=title, title_justify='left')
    for field, offset in zip(fields, offsets(fields), strict=True):
      table.add_row(*_cells(field, offset))
    if fields:
      console.print(table)
    else:
      console.print(
        f'{title}; nobody says which.', highlight=False, soft_wrap=True
      )
  console.print(
    'Actions are given in \\[-1, 1]: low and high are what -1 and 1 stand for. '
    'A unit of 1 is a pure number, an empty one is unknown or mixed.',
    highlight=False,
  )


def _is_file(what: str) -> bool:
  # No suite task has a '/', and every other name that may have one has a ':'.
  is_path = '/' in what and ':' not in what
  return is_path or what.endswith('.npz') or Path(what).is_file()


def _known(carried: Task) -> Task:
  """The installed task of that name, if it is the one that is carried."""
  try:
    task = Environment(carried.name).task
  except ValueError:  # Not of the suite, and a file makes nobody's Python run.
    return carried
  return carried if carried.differences(task) else task


def _cells(field: Field, offset: int) -> list[str]:
  shape = ' × '.join(map(str, field.shape))
  low, high = _bounds(field.low), _bounds(field.high)
  return [
    field.name, str(offset), str(field.size), shape, field.unit, low, high
  ]  # fmt: skip


def _bounds(bounds: Bounds) -> str:
  values = list(bounds) if isinstance(bounds, tuple) else [bounds]
  if len(set(values)) == 1:
    values = values[:1]
  cells = [f'{v:g}' if math.isfinite(v) else '' for v in values[:_MAX_BOUNDS]]
  return ', '.join(cells) + ', …' * (len(values) > _MAX_BOUNDS)


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)

  def work() -> None:
    config = command_line.parse(DescribeConfig, 'launchers.describe')
    task = describe(config.what, config.action_bound)
    if config.json:
      print(json.dumps(to_json(task)))
    else:
      show(task, Console())

  return options.guard(console, work)


if __name__ == '__main__':
  sys.exit(main())
