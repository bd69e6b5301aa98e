"""The report as one HTML page that needs nothing but itself."""

import base64
from collections.abc import Iterable, Mapping, Sequence
import html
from pathlib import Path
from typing import Any

from launchers.reports import policies, tables
from launchers.reports.data import Estimate, RunRecord, policy_name
from launchers.runs import saved
from launchers.runs.run_directory import RunDirectory

_WORK = (
  'Updates of cycle 0: cloning + its critic, which do not count as learner '
  'steps. Times leave out the start of the nodes. Those of a cycle without '
  'actor steps/s are since it was resumed, or its episodes were imported.'
)
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
  parts = [_header(run), _setbacks(run), _tiles(run)]
  parts += ['<h2>Learning curve</h2>', _curve(run, pictures['learning_curve'])]
  if run.finals:
    parts += ['<h2>Policies</h2>', table(*tables.policies_table(run))]
  if run.training is None:
    parts += ['<h2>Cycles</h2>', table(*tables.returns_table(run))]
    parts += ['<h2>Work and time</h2>', table(*tables.work_table(run))]
    parts += [f'<p class="muted">{html.escape(_WORK)}</p>']
  if 'losses' in pictures:
    alt = 'Every logged metric against the steps of its phase.'
    parts += ['<h2>Losses</h2>', figure(pictures['losses'], alt, '')]
  notice = saved.set_aside(RunDirectory(run.directory))
  if notice:
    parts += [f'<p class="muted">{html.escape(notice)}</p>']
  parts += [_configuration(run)]
  return document(run.name, parts)


def document(title: str, parts: Iterable[str]) -> str:
  """A page that needs no other file, of parts in HTML."""
  style = (Path(__file__).parent / 'report.css').read_text(encoding='utf-8')
  return _TEMPLATE.format(
    title=html.escape(title), style=style, body='\n'.join(parts)
  )


def _header(run: RunRecord) -> str:
  finished = ' finished' if run.is_finished else ''
  badge = f'<span class="badge{finished}">{html.escape(run.progress)}</span>'
  objective = run.config.get('objective')
  kind = objective.get('kind', '') if isinstance(objective, dict) else ''
  facts = [str(run.config.get('task', '')), str(kind)]
  facts += [f'seed {run.config.get("seed", "?")}', run.teacher_name]
  text = html.escape(' · '.join(fact for fact in facts if fact))
  return f'<h1>{html.escape(run.name)}</h1>\n<p>{badge} · {text}</p>'


def _setbacks(run: RunRecord) -> str:
  return '\n'.join(
    f'<p class="worse">{html.escape(sentence)}</p>'
    for sentence in [
      *policies.setbacks(run).values(),
      *policies.held_back(run),
    ]
  )


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
      share = tables.share(last, run.teacher)
      name = f'{policy_name(number)} of the teacher'
      tiles.append((name, html.escape(share)))
  time = tables.time_at_work(run)
  if time:
    tiles.append(('time, without start-up', html.escape(time)))
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
  caption = 'Evaluations without noise.'
  if run.training is not None:
    return figure(pictures, alt, caption)
  caption += (
    ' Points: π_k at the end of cycle k, mean and '
    'standard deviation over its episodes; red where it got worse. Vertical '
    'lines: where one cycle ends, and the next policy is deployed.'
  )
  summaries = [cycle.summary or {} for cycle in run.cycles]
  skipped = sum(s.get('evaluation_skipped', 0) for s in summaries)
  if skipped:
    caption += (
      f' Skipped, to leave the learner nine tenths of its time: {skipped}.'
    )
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
  return f'<tr>{"".join(_cell(cell, tag) for cell in cells)}</tr>'


def _cell(text: str, tag: str) -> str:
  """An interval may go below its value, and a path be broken anywhere."""
  inner = html.escape(text)
  value, bracket, rest = inner.partition(' [')
  if bracket and rest.endswith(']'):
    return f'<{tag} class="interval">{value} <span>[{rest}</span></{tag}>'
  kind = ' class="path"' if text.endswith('.npz') else ''
  return f'<{tag}{kind}>{inner}</{tag}>'


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
