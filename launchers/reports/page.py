"""The report as one HTML page that needs nothing but itself."""

import base64
from collections.abc import Iterable, Mapping, Sequence
import html
from pathlib import Path
from typing import Any, Optional

from launchers.reports.data import CycleRecord, Estimate, RunRecord, policy_name

_NONE = '–'
_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def render(run: RunRecord, pictures: Mapping[str, Sequence[bytes]]) -> str:
  """Writes the page.

  Args:
    run: what it tells of.
    pictures: name → PNG for light, PNG for dark; 'losses' may be missing.

  Returns:
    The page's HTML.
  """
  parts = [_header(run), _tiles(run)]
  parts += ['<h2>Learning curve</h2>', _curve(run, pictures['learning_curve'])]
  parts += ['<h2>Cycles</h2>', table(*returns_table(run))]
  parts += ['<h2>Work and time</h2>', table(*work_table(run))]
  if 'losses' in pictures:
    alt = 'Every logged metric against the steps of its phase.'
    parts += ['<h2>Losses</h2>', figure(pictures['losses'], alt, '')]
  parts += [_configuration(run)]
  return document(run.name, parts)


def document(title: str, parts: Iterable[str]) -> str:
  """A page that needs no other file, of parts in HTML."""
  style = (Path(__file__).parent / 'report.css').read_text(encoding='utf-8')
  return _TEMPLATE.format(
    title=html.escape(title), style=style, body='\n'.join(parts)
  )


def returns_table(run: RunRecord) -> tuple[list[str], list[list[str]]]:
  """What each cycle collected, and how good the policy after it is."""
  head = ['cycle k', 'episodes', 'steps', 'their return', 'π after it']
  head += ['return of π', 'of the teacher', 'critic loss', 'policy loss']
  rows = []
  for cycle in run.cycles:
    summary = cycle.summary or {}
    rows.append(
      [
        f'{cycle.number}' + (' (cloning)' if cycle.number == 0 else ''),
        _count(summary.get('episodes')),
        _count(summary.get('steps')),
        _or_none(cycle.collected),
        policy_name(cycle.number),
        _or_none(cycle.final),
        _share(cycle.final, run.teacher),
        _number(cycle.last_metric('critic_loss')),
        _number(cycle.last_metric('policy_loss')),
      ]
    )
  return head, rows


def work_table(run: RunRecord) -> tuple[list[str], list[list[str]]]:
  """What each cycle took, and which data and weights it ended with."""
  head = ['cycle', 'learner step', 'act', 'learn', 'evaluate', 'actor steps/s']
  head += ['data', 'policy']
  rows = []
  for cycle in run.cycles:
    summary = cycle.summary or {}
    seconds = summary.get('seconds') or {}
    rows.append(
      [
        f'{cycle.number}' if cycle.summary else f'{cycle.number} (in progress)',
        _count(summary.get('learner_steps')),
        *(duration(seconds.get(part)) for part in ('act', 'learn', 'evaluate')),
        _count(_acting_rate(cycle)),
        _digest(summary.get('data_digest')),
        _digest(summary.get('policy_digest')),
      ]
    )
  return head, rows


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


def _header(run: RunRecord) -> str:
  done = len(run.finished) - 1
  if run.is_finished:
    badge = '<span class="badge finished">finished</span>'
  elif done < 0:
    badge = '<span class="badge">in progress: cloning the teacher</span>'
  else:
    badge = (
      f'<span class="badge">in progress: {done} of {run.num_cycles} cycles '
      'done</span>'
    )
  objective = run.config.get('objective')
  kind = objective.get('kind', '') if isinstance(objective, dict) else ''
  facts = [str(run.config.get('task', '')), str(kind)]
  facts += [f'seed {run.config.get("seed", "?")}', run.teacher_name]
  text = html.escape(' · '.join(fact for fact in facts if fact))
  return f'<h1>{html.escape(run.name)}</h1>\n<p>{badge} · {text}</p>'


def _tiles(run: RunRecord) -> str:
  tiles = []
  if run.teacher is not None:
    tiles.append(('teacher', _big(run.teacher)))
  finals = run.finals
  if finals:
    tiles.append((f'{policy_name(0)}, cloned', _big(finals[0][1])))
  if len(finals) > 1:
    number, last = finals[-1]
    tiles.append((policy_name(number), _big(last)))
    if run.teacher is not None:
      share = _share(last, run.teacher)
      name = f'{policy_name(number)} of the teacher'
      tiles.append((name, html.escape(share)))
  total = sum(_seconds(cycle) for cycle in run.cycles)
  if total:
    tiles.append(('time', html.escape(duration(total))))
  cells = '\n'.join(
    f'<div><dt>{html.escape(name)}</dt><dd>{value}</dd></div>'
    for name, value in tiles
  )
  return f'<dl class="tiles">\n{cells}\n</dl>' if tiles else ''


def _curve(run: RunRecord, pictures: Sequence[bytes]) -> str:
  ends = ', '.join(
    f'{policy_name(number)} {final}' for number, final in run.finals
  )
  alt = f'Return against learner steps. {ends}.'
  caption = (
    'Evaluations without noise. Points: the policy of each cycle, mean and '
    'standard deviation over its episodes. Vertical lines: where one cycle '
    'ends, and the next policy is deployed.'
  )
  summaries = [cycle.summary or {} for cycle in run.cycles]
  skipped = sum(s.get('evaluation_skipped', 0) for s in summaries)
  if skipped:
    caption += f' Skipped, for the evaluator did not keep up: {skipped}.'
  return figure(pictures, alt, caption)


def figure(pictures: Sequence[bytes], alt: str, caption: str) -> str:
  """A picture as HTML that holds it: one PNG for light, one for dark."""
  light, dark = (base64.b64encode(picture).decode() for picture in pictures)
  prefix = 'data:image/png;base64,'
  text = f'<figcaption>{html.escape(caption)}</figcaption>' if caption else ''
  return (
    '<figure><picture>'
    f'<source media="(prefers-color-scheme: dark)" srcset="{prefix}{dark}">'
    f'<img src="{prefix}{light}" alt="{html.escape(alt)}">'
    f'</picture>{text}</figure>'
  )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """A table as HTML."""
  if not rows:
    return '<p class="muted">No cycle has begun.</p>'
  lines = [_row(head, 'th'), *(_row(row, 'td') for row in rows)]
  body = '\n'.join(lines)
  return f'<div class="scroll"><table>\n{body}\n</table></div>'


def _row(cells: Iterable[str], tag: str) -> str:
  inner = ''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)
  return f'<tr>{inner}</tr>'


def _configuration(run: RunRecord) -> str:
  rows = '\n'.join(
    f'<tr><td><code>{html.escape(name)}</code></td>'
    f'<td><code>{html.escape(str(value))}</code></td></tr>'
    for name, value in flatten(run.config)
  )
  return (
    '<details><summary>Configuration</summary><div class="scroll">'
    f'<table class="plain">\n{rows}\n</table></div></details>'
  )


def flatten(tree: Mapping[str, Any], where: str = '') -> Iterable[Any]:
  """(a.b.c, value) of every leaf."""
  for key, value in tree.items():
    name = f'{where}{key}'
    if isinstance(value, dict):
      yield from flatten(value, f'{name}.')
    else:
      yield name, value


def _big(estimate: Estimate) -> str:
  return f'{estimate.mean:.0f} <small>± {estimate.std:.0f}</small>'


def _share(value: Optional[Estimate], teacher: Optional[Estimate]) -> str:
  if value is None or teacher is None or teacher.mean <= 0:
    return _NONE
  return f'{100 * value.mean / teacher.mean:.0f} %'


def _acting_rate(cycle: CycleRecord) -> Optional[float]:
  """Steps a second; after a resumption, of the steps since."""
  summary = cycle.summary or {}
  seconds = (summary.get('seconds') or {}).get('act')
  steps = summary.get('acted_steps', summary.get('steps'))
  return steps / seconds if seconds and steps else None


def _seconds(cycle: CycleRecord) -> float:
  return sum(((cycle.summary or {}).get('seconds') or {}).values())


def _digest(value: Optional[str]) -> str:
  return value[:8] if value else _NONE


def _count(value: Optional[float]) -> str:
  return _NONE if value is None else f'{value:,.0f}'.replace(',', '\u202f')


def _number(value: Optional[float]) -> str:
  return _NONE if value is None else f'{value:.3g}'


def _or_none(value: Optional[Estimate]) -> str:
  return _NONE if value is None else str(value)
