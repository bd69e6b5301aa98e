"""The tables of a run's report, as text."""

from typing import Optional

from launchers.reports import policies
from launchers.reports.cycles import acting_rate
from launchers.reports.data import CycleRecord, Estimate, RunRecord, policy_name

_NONE = '–'


def returns_table(run: RunRecord) -> tuple[list[str], list[list[str]]]:
  """What each cycle collected, and how good the policy after it is."""
  head = ['cycle k', 'episodes', 'steps', 'their return', 'π after it']
  head += [
    'return of π, no noise',
    'of the teacher',
    'critic loss',
    'policy loss',
  ]
  rows = []
  for cycle in run.cycles:
    summary = cycle.summary or {}
    rows.append(
      [
        f'{cycle.number}' + (' (cloning)' if cycle.number == 0 else ''),
        _count(summary.get('episodes')),
        _count(summary.get('steps')),
        _or_none(cycle.collected),
        policy_name(cycle.number) + (' (held back)' if cycle.held_back else ''),
        _or_none(cycle.final),
        share(cycle.final, run.teacher),
        _number(cycle.last_metric('critic_loss')),
        _number(cycle.last_metric('policy_loss')),
      ]
    )
  return head, rows


def work_table(run: RunRecord) -> tuple[list[str], list[list[str]]]:
  """What each cycle took, and which data and weights it ended with."""
  head = ['cycle', 'updates', 'act', 'learn', 'evaluate', 'actor steps/s']
  head += ['data', 'policy']
  hosts = sorted(
    {host for c in run.cycles for host in (c.summary or {}).get('acted_by', ())}
  )
  # One is nothing to be told apart.
  head += [f'episodes of {host}' for host in hosts if len(hosts) > 1]
  rows = []
  for cycle in run.cycles:
    summary = cycle.summary or {}
    acted_by = summary.get('acted_by', {})
    seconds = summary.get('seconds') or {}
    state = '' if cycle.summary else ' (in progress)'
    rows.append(
      [
        f'{cycle.number}{state}',
        _updates(run, cycle),
        *(duration(seconds.get(part)) for part in ('act', 'learn', 'evaluate')),
        _count(acting_rate(summary)),
        _digest(summary.get('digest')),
        _digest(summary.get('policy_digest')),
        *(_count(acted_by.get(host)) for host in hosts if len(hosts) > 1),
      ]
    )
  return head, rows


def policies_table(run: RunRecord) -> tuple[list[str], list[list[str]]]:
  """Where the best and the last policy are."""
  rows = [
    [made.role, policy_name(made.cycle), str(made.estimate), str(made.path)]
    for made in policies.notable(run)
  ]
  return ['', 'policy', 'return', 'file'], rows


def time_at_work(run: RunRecord) -> str:
  """All cycles' seconds; at least these, where a cycle was resumed."""
  total = sum(
    sum(((cycle.summary or {}).get('seconds') or {}).values())
    for cycle in run.cycles
  )
  least = '≥ ' if any(map(is_resumed, run.cycles)) else ''
  return f'{least}{duration(total)}' if total else ''


def is_resumed(cycle: CycleRecord) -> bool:
  """Whether a finished cycle knows only of the time since a later start.

  Whatever comes after the acting is in one start with it.
  """
  summary = cycle.summary or {}
  steps = summary.get('steps', 0)
  return bool(summary.get('acted_steps', steps) != steps)


def duration(seconds: Optional[float]) -> str:
  """Seconds as a person says them: 7.2 s, 3 min 5 s, 2 h 10 min."""
  if seconds is None:
    return _NONE
  if seconds < 60:
    return f'{seconds:.1f} s'
  minutes, rest = divmod(round(seconds), 60)
  if minutes < 60:
    return f'{minutes} min {rest} s'
  return f'{minutes // 60} h {minutes % 60} min'


def share(value: Optional[Estimate], teacher: Optional[Estimate]) -> str:
  """Per cent of the teacher's return."""
  if value is None or teacher is None or teacher.mean <= 0:
    return _NONE
  return f'{100 * value.mean / teacher.mean:.0f} %'


def _updates(run: RunRecord, cycle: CycleRecord) -> str:
  """How many the cycle took; of cycle 0, cloning and its critic's."""
  if cycle.number == 0:
    parts = [cycle.phase(name) for name in ('clone', 'pretrain')]
    steps = [float(part['step'].max()) for part in parts if 'step' in part]
    return ' + '.join(map(_count, steps)) or _NONE
  if not cycle.summary:
    return _NONE
  first = run.boundary(cycle.number - 1)
  return _count(cycle.summary.get('learner_steps', first) - first)


def _digest(value: Optional[str]) -> str:
  return value[:8] if value else _NONE


def _count(value: Optional[float]) -> str:
  return _NONE if value is None else f'{value:,.0f}'.replace(',', '\u202f')


def _number(value: Optional[float]) -> str:
  return _NONE if value is None else f'{value:.3g}'


def _or_none(value: Optional[Estimate]) -> str:
  return _NONE if value is None else str(value)
