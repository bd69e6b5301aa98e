"""What a person sees while a command works: a bar, and of a run its cycles.

On a terminal that nothing can be drawn over, and in a file, these are lines.
"""

from collections.abc import Sequence
import time
from typing import Any, Optional

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
  BarColumn,
  MofNCompleteColumn,
  Progress,
  Task,
  TaskID,
  TextColumn,
  TimeRemainingColumn,
)  # fmt: skip
from rich.table import Column
from rich.text import Text

from launchers.reports.cycles import cycle_table
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

_PHASES = {
  'restore': 'restoring episodes',
  'act': 'collecting episodes',
  'clone': 'cloning the teacher',
  'pretrain': 'evaluating the clone (critic)',
  'learn': 'improving the policy',
  'evaluate': 'evaluating',
  'gate': 'judging the policy',
  'done': 'done',
}
_LINE_PERIOD = 10.0  # Seconds between two lines about the same.


def is_live(console: Console) -> bool:
  """Whether what is on the screen can be drawn over."""
  return console.is_terminal and not console.is_dumb_terminal


class Bar(Progress):
  """The one look of every bar: one line, however narrow the terminal is."""

  def __init__(self, console: Console):
    super().__init__(
      TextColumn('{task.description}', table_column=_one_line(ratio=2)),
      BarColumn(None, table_column=_one_line(ratio=1)),
      _Done(table_column=_one_line()),
      TextColumn('{task.fields[unit]}', table_column=_one_line()),
      TimeRemainingColumn(table_column=_one_line()),
      console=console,
      expand=True,
      disable=not is_live(console),
    )
    self.notes: Sequence[str] = ()
    """Lines to show below."""
    self._said, self._said_at = ('', False), 0.0

  def update(self, task_id: TaskID, **changes: Any) -> None:
    """Shows that a task is further, or something else, now."""
    super().update(task_id, **changes)
    if self.disable:
      self._say(self._tasks[task_id])

  def _say(self, task: Task) -> None:
    """Prints a line for what is new, and from time to time for what is not."""
    now, what = time.monotonic(), (task.description, task.finished)
    if what == self._said and now - self._said_at < _LINE_PERIOD:
      return
    self._said, self._said_at = what, now
    amount = f' {task.completed:.0f}/{task.total:.0f}' if task.total else ''
    unit = f' {task.fields["unit"]}' if task.total else ''
    for line in (f'{task.description}{amount}{unit}', *self.notes):
      self.console.print(line, highlight=False, markup=False, soft_wrap=True)


class _Done(MofNCompleteColumn):
  """12/40; nothing where it is not known of how many."""

  def render(self, task: Task) -> Text:
    return super().render(task) if task.total else Text()


def _one_line(ratio: Optional[int] = None) -> Column:
  return Column(no_wrap=True, overflow='ellipsis', ratio=ratio)


def progress_bar(console: Console) -> Bar:
  """A bar to enter; its tasks have a `unit`."""
  return Bar(console)


class Display:
  """Shows a run while it is entered, and nothing of that afterwards."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    console: Console,
  ):
    self._config = config
    self._directory = directory
    self._console = console
    # Whoever entered it prints the last table, once.
    self._live = Live(console=console, refresh_per_second=4, transient=True)
    self._bar = Bar(console)
    self._task = self._bar.add_task('starting', total=None, unit='')
    self._phase = ''

  def __enter__(self) -> 'Display':
    if is_live(self._console):
      self._live.start()
    return self

  def __exit__(self, *_: object) -> None:
    if is_live(self._console):
      self._live.stop()

  def update(self, status: Optional[dict[str, Any]]) -> None:
    """Shows the conductor's status; None while the nodes start."""
    if status is None:
      description, done, total, unit = 'starting the nodes', 0, None, ''
    else:
      description, done, total, unit = activity(status)
    if description != self._phase:
      self._phase = description
      # A total cannot be taken from a task that has one.
      self._bar.remove_task(self._task)
      self._task = self._bar.add_task(description, total=total, unit=unit)
    self._bar.notes = [
      *(status or {}).get('warnings', ()),
      *waiting_lines(status or {}),
      *self._acting_lines(status or {}),
    ]
    self._bar.update(
      self._task,
      completed=done,
      total=total,
      unit=unit,
    )
    if is_live(self._console):
      self._draw(status)

  def _acting_lines(self, status: dict[str, Any]) -> list[str]:
    if self._config.has_simulator:
      return hosts_lines(status, self._config.num_actors)
    if status.get('phase') != 'act':
      return []
    return [
      'Episodes come from outside: `python -m launchers.ingest '
      f'{self._directory.root} FILES`; `launchers.cycle` says of which policy.'
    ]

  def _draw(self, status: Optional[dict[str, Any]]) -> None:
    """The table as far as it leaves room for the bar and its notes."""
    notes = (Text(line, style='bold yellow') for line in self._bar.notes)
    below = Group(self._bar, *notes)
    # One line stays free for the cursor.
    taken = len(self._console.render_lines(below)) + 1
    table = cycle_table(
      self._config,
      self._directory,
      status,
      width=self._console.width,
      height=self._console.height - taken,
    )
    self._live.update(Group(table, below))


def waiting_lines(status: dict[str, Any]) -> list[str]:
  """Who waits for a teacher, and what for a person."""
  lines = [
    f'{node} waits for the teacher: {message}'
    for node, message in status.get('troubles', {}).items()
  ]
  waiting = status.get('gate')
  return [*lines, waiting] if waiting else lines


def hosts_lines(status: dict[str, Any], num_actors: int) -> list[str]:
  """Who acts, where others than this host do."""
  hosts, lost = status.get('hosts', {}), status.get('lost', 0)
  is_acting = status.get('phase') == 'act'
  if is_acting and not num_actors and not any(n for n, _ in hosts.values()):
    return ['Nobody acts yet: join with `python -m launchers.join HOST:PORT`.']
  if len(hosts) < 2 and not lost:
    return []
  parts = [
    f'{host}: {workers} workers, {episodes} episodes'
    for host, (workers, episodes) in hosts.items()
  ]
  parts += [f'{lost} workers lost'] if lost else []
  return ['; '.join(parts)]


def activity(status: dict[str, Any]) -> tuple[str, int, Optional[int], str]:
  """What goes on: its name, how far it is, of how much, of what."""
  cycle, phase, learner = status['cycle'], status['phase'], status['learner']
  if phase == 'act':
    done, total = status['collected'].get(cycle, (0, None))
    what = 'recording demonstrations' if cycle == 0 else _PHASES['act']
    return f'cycle {cycle}: {what}', done, total, 'episodes'
  if phase == 'learn' and learner:
    what = _PHASES[learner['phase']]
    return f'cycle {cycle}: {what}', learner['step'], learner['end'], 'updates'
  if phase == 'learn':
    return f'cycle {cycle}: preparing the learner', 0, None, ''
  return f'cycle {cycle}: {_PHASES[phase]}', 0, None, ''
