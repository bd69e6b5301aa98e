"""The cycles of a run as a table for a terminal, however narrow it is."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Optional

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

_NOTHING = '·'
_GAP = 2  # Blanks between two columns.
_CUT = '⋮'


class Column(NamedTuple):
  """One column, at its full width and at its short one.

  Attributes:
    name: its head.
    short: its head where room is scarce.
    rank: of those that do not fit, the one of the highest goes first.
  """

  name: str
  short: str
  rank: int


COLUMNS = (
  Column('cycle', 'cycle', 0),
  Column('episodes', 'episodes', 3),
  Column('steps', 'steps', 4),
  Column('collected return', 'collected', 2),
  Column('critic loss', 'critic', 7),
  Column('policy loss', 'policy', 8),
  Column('act /s', 'act/s', 6),
  Column('learn /s', 'learn/s', 5),
  Column('return of π, no noise', 'return π', 1),
)


class _Row(NamedTuple):
  """A row's cells, at full width and short, and how it is shown."""

  cells: tuple[Sequence[str], Sequence[str]]
  style: str


class _Form(NamedTuple):
  """How numbers are written."""

  amount: Callable[[float], str]
  spread: Callable[[float], str]
  value: str


def _thousands(count: float) -> str:
  return f'{count / 1e3:.0f}k' if count >= 10_000 else f'{count:.0f}'


def _tenths(value: float) -> str:
  return f'{value:.1f}'


def _rounded(value: float) -> str:
  return f'{value:.0f}' if abs(value) >= 10 else f'{value:.1f}'


_FULL = _Form(lambda count: f'{count:,.0f}', _tenths, '.3g')
_SHORT = _Form(_thousands, _rounded, '.2g')


def cycle_table(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  status: Optional[dict[str, Any]] = None,
  *,
  width: int,
  height: Optional[int] = None,
) -> Group:
  """A title, and a row a cycle: what it collected, learned and returned.

  Args:
    config: of the run.
    directory: of the run.
    status: the conductor's, while the run goes on.
    width: of the terminal; columns are shortened, then left out, to fit.
    height: lines that there are for it; None: as many as it takes. Of a run of
      more cycles, those around the present one are shown.
  """
  rows = _rows(config, directory, status)
  current = status['cycle'] + 1 if status else len(rows) - 1
  if height is not None:
    rows = _window(rows, current, max(height - 2, 1))
  title = Text(
    f'{directory.root}: {config.task}, {config.objective.kind}, '
    f'seed {config.seed}',
    style='italic', no_wrap=True, overflow='ellipsis',
  )  # fmt: skip
  return Group(title, _fit(rows, width))


def acting_rate(record: dict[str, Any]) -> Optional[float]:
  """Steps a second of a finished cycle, where that is known.

  A cycle that was resumed counts the seconds since, but some of its episodes
  came at once, or not in these seconds at all.
  """
  seconds = (record.get('seconds') or {}).get('act')
  steps = record.get('steps')
  if not steps or not seconds or record.get('acted_steps', steps) != steps:
    return None
  return float(steps / seconds)


def _rows(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  status: Optional[dict[str, Any]],
) -> list[_Row]:
  """The teacher's, if it is known, and one a cycle."""
  teacher = directory.read_json(directory.teacher_result) or {}
  middle = [''] * (len(COLUMNS) - 2)
  full, short = (
    ['teacher', *middle, _mean_std(teacher, 'return_', form)]
    for form in (_FULL, _SHORT)
  )
  rows = [_Row((full, short), 'dim')]
  for cycle in range(config.cycles + 1):
    record = directory.read_json(directory.cycle(cycle) / 'cycle.json')
    if status and status['cycle'] == cycle:
      cells = [_running(cycle, status, form) for form in (_FULL, _SHORT)]
      rows.append(_Row((cells[0], cells[1]), 'bold'))
    elif record:
      cells = [_finished(record, form) for form in (_FULL, _SHORT)]
      style = 'yellow' if record.get('held_back') else ''
      rows.append(_Row((cells[0], cells[1]), style))
    else:
      blank = [str(cycle), *[_NOTHING] * (len(COLUMNS) - 1)]
      rows.append(_Row((blank, blank), 'dim'))
  return rows


def _window(rows: list[_Row], current: int, count: int) -> list[_Row]:
  """So many rows, the present one among them; ⋮ stands for what is cut."""
  if len(rows) <= count:
    return rows
  end = min(max(current + 2, count), len(rows))
  start = end - count
  shown = rows[start:end]
  cut = _Row(([_CUT], [_CUT]), 'dim')
  if start and count > 2:
    shown[0] = cut
  if end < len(rows) and end - 1 > current:
    shown[-1] = cut
  return shown


def _fit(rows: Sequence[_Row], width: int) -> Table:
  """The most that fits: all columns, then short ones, then fewer."""
  by_rank = sorted(range(len(COLUMNS)), key=lambda i: COLUMNS[i].rank)
  chosen = range(len(COLUMNS))
  is_short = _width(rows, chosen, False) > width
  for count in range(len(COLUMNS), 0, -1):
    chosen_now = sorted(by_rank[:count])
    if not is_short or _width(rows, chosen_now, True) <= width or count == 1:
      break
  table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
  for index in chosen_now:
    head = COLUMNS[index].short if is_short else COLUMNS[index].name
    table.add_column(head, justify='right', no_wrap=True)
  for row in rows:
    cells = [*row.cells[is_short], *[''] * len(COLUMNS)]
    table.add_row(*(cells[index] for index in chosen_now), style=row.style)
  return table


def _width(rows: Sequence[_Row], chosen: Sequence[int], short: bool) -> int:
  total = _GAP * (len(chosen) - 1)
  for index in chosen:
    column = COLUMNS[index]
    cells = [column.short if short else column.name]
    cells += [
      row.cells[short][index] for row in rows if index < len(row.cells[short])
    ]
    total += max(map(cell_len, cells))
  return total


def _finished(record: dict[str, Any], form: _Form) -> list[str]:
  learner = record.get('learner', {})
  return [
    f'{record["cycle"]}',
    f'{record["episodes"]}',
    form.amount(record['steps']),
    _mean_std(record, 'collected_return_', form),
    _number(learner.get('critic_loss'), form),
    _number(learner.get('policy_loss'), form),
    _amount(acting_rate(record), form),
    _amount(learner.get('steps_per_second'), form),
    _mean_std(record, 'evaluation_return_', form),
  ]


def _running(cycle: int, status: dict[str, Any], form: _Form) -> list[str]:
  done, total = status['collected'].get(cycle, (0, None))
  steps = status['steps'].get(cycle, 0)
  learner = status['learner']
  refused = f' (−{status["refused"]})' if status['refused'] else ''
  return [
    f'{cycle}',
    f'{done}/{total}{refused}' if total else _NOTHING,
    form.amount(steps),
    _mean_std(status['returns'].get(cycle, {}), 'return_', form),
    _number(learner.get('critic_loss'), form),
    _number(learner.get('policy_loss'), form),
    _amount(acting_rate({**status, 'steps': steps}), form),
    _amount(learner.get('steps_per_second'), form),
    '…' if status['phase'] in ('evaluate', 'gate') else _NOTHING,
  ]


def _mean_std(record: dict[str, Any], prefix: str, form: _Form) -> str:
  mean, std = record.get(f'{prefix}mean'), record.get(f'{prefix}std')
  if mean is None or std is None:
    return _NOTHING
  return f'{form.spread(mean)} ± {form.spread(std)}'


def _number(value: Optional[float], form: _Form) -> str:
  return _NOTHING if value is None else f'{value:{form.value}}'


def _amount(value: Optional[float], form: _Form) -> str:
  # Runs of before wrote 0 where a rate was not known yet.
  return form.amount(value) if value else _NOTHING
