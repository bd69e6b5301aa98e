"""What a person sees while a run goes on: a table of cycles and a bar."""

from collections.abc import Sequence
import time
from typing import Any, Optional

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
  BarColumn,
  MofNCompleteColumn,
  Progress,
  TextColumn,
  TimeRemainingColumn,
)  # fmt: skip
from rich.table import Table
from rich.text import Text

from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

_PHASES = {
  'restore': 'restoring episodes',
  'act': 'collecting episodes',
  'clone': 'cloning the teacher',
  'pretrain': 'evaluating the clone (critic)',
  'learn': 'improving the policy',
  'evaluate': 'evaluating',
}
_LINE_PERIOD = 10.0  # Seconds between two lines where there is no terminal.


def progress_bar(console: Console) -> Progress:
  """The one look of every bar."""
  return Progress(
    TextColumn('{task.description:32s}'),
    BarColumn(bar_width=None),
    MofNCompleteColumn(),
    TextColumn('{task.fields[unit]}'),
    TimeRemainingColumn(),
    console=console,
    expand=True,
  )


class Display:
  """Shows a run while it is entered; a plain log where there is no terminal."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    console: Console,
  ):
    self._config = config
    self._directory = directory
    self._console = console
    self._live = Live(console=console, refresh_per_second=4)
    self._progress = progress_bar(console)
    self._task = self._progress.add_task('starting', total=None, unit='')
    self._phase = ''
    self._finished: dict[int, dict[str, Any]] = {}
    self._last_line = 0.0

  def __enter__(self) -> 'Display':
    if self._console.is_terminal:
      self._live.start()
    return self

  def __exit__(self, *_: object) -> None:
    if self._console.is_terminal:
      self._live.update(cycle_table(self._config, self._directory))
      self._live.stop()

  def update(self, status: Optional[dict[str, Any]]) -> None:
    """Shows the conductor's status; None while the nodes start."""
    if status is None:
      description, done, total, unit = 'starting the nodes', 0, None, ''
    else:
      description, done, total, unit = _activity(status)
    if description != self._phase:
      self._phase = description
      self._progress.reset(self._task, total=total)
    self._progress.update(
      self._task,
      description=description,
      completed=done,
      total=total,
      unit=unit,
    )
    troubles = list((status or {}).get('warnings', ()))
    troubles += [
      f'{node} waits for the teacher: {message}'
      for node, message in (status or {'troubles': {}})['troubles'].items()
    ]
    if self._console.is_terminal:
      table = cycle_table(self._config, self._directory, status)
      lines = [Text(line, style='bold yellow') for line in troubles]
      self._live.update(Group(table, self._progress, *lines))
    else:
      self._print_line(description, done, total, unit, troubles)

  def _print_line(
    self,
    description: str,
    done: int,
    total: Optional[int],
    unit: str,
    troubles: Sequence[str],
  ) -> None:
    now = time.monotonic()
    if now - self._last_line < _LINE_PERIOD:
      return
    self._last_line = now
    amount = f' {done}/{total} {unit}' if total else ''
    for line in (f'{description}{amount}', *troubles):
      self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _activity(status: dict[str, Any]) -> tuple[str, int, Optional[int], str]:
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


def cycle_table(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  status: Optional[dict[str, Any]] = None,
) -> Table:
  """A row a cycle: what it collected, learned and returned."""
  table = Table(
    title=f'{directory.root}: {config.task}, {config.objective.kind}, '
    f'seed {config.seed}',
    title_justify='left',
  )
  for name, justify in (
    ('cycle', 'right'), ('episodes', 'right'), ('steps', 'right'),
    ('collected return', 'right'), ('critic loss', 'right'),
    ('policy loss', 'right'), ('act /s', 'right'), ('learn /s', 'right'),
    ('return of π', 'right'),
  ):  # fmt: skip
    table.add_column(name, justify=justify)  # type: ignore[arg-type]  # literal
  teacher = directory.read_json(directory.teacher_result)
  if teacher:
    table.add_row(
      'teacher', *[''] * 7, _mean_std(teacher, 'return_'), style='dim'
    )
  for cycle in range(config.cycles + 1):
    record = directory.read_json(directory.cycle(cycle) / 'cycle.json')
    if record and not (status and status['cycle'] == cycle):
      table.add_row(*_finished_row(record))
    elif status and status['cycle'] == cycle:
      table.add_row(*_running_row(cycle, status), style='bold')
    else:
      table.add_row(str(cycle), *['·'] * 8, style='dim')
  return table


def _finished_row(record: dict[str, Any]) -> list[str]:
  learner = record['learner']
  return [
    f'{record["cycle"]}',
    f'{record["episodes"]}',
    f'{record["steps"]:,}',
    _mean_std(record, 'collected_return_'),
    _number(learner.get('critic_loss')),
    _number(learner.get('policy_loss')),
    _rate(record['acted_steps'], record['seconds'].get('act')),
    _number(learner.get('steps_per_second'), '.0f'),
    _mean_std(record, 'evaluation_return_'),
  ]


def _running_row(cycle: int, status: dict[str, Any]) -> list[str]:
  done, total = status['collected'].get(cycle, (0, None))
  returns = status['returns'].get(cycle, {})
  learner = status['learner']
  refused = f' (−{status["refused"]})' if status['refused'] else ''
  return [
    f'{cycle}',
    f'{done}/{total}{refused}' if total else '·',
    f'{status["steps"].get(cycle, 0):,}',
    _mean_std(returns, 'return_'),
    _number(learner.get('critic_loss')),
    _number(learner.get('policy_loss')),
    _rate(status['acted_steps'], status['seconds'].get('act')),
    _number(learner.get('steps_per_second'), '.0f'),
    '…' if status['phase'] == 'evaluate' else '·',
  ]


def _mean_std(record: dict[str, Any], prefix: str) -> str:
  if record.get(f'{prefix}mean') is None:
    return '·'
  return f'{record[f"{prefix}mean"]:.1f} ± {record[f"{prefix}std"]:.1f}'


def _number(value: Optional[float], form: str = '.3g') -> str:
  return '·' if value is None else f'{value:{form}}'


def _rate(amount: int, seconds: Optional[float]) -> str:
  return f'{amount / seconds:,.0f}' if amount and seconds else '·'
