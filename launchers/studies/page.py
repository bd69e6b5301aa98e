"""A study's report as one HTML page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
import html
from typing import Any

from launchers.reports import page as report_page
from launchers.studies import tables as study_tables
from launchers.studies.outcomes import Outcomes
from launchers.studies.plots import CAPTION, CAPTION_OF_LOGS
from launchers.studies.statistics import Row
from launchers.studies.tables import Table
from launchers.studies.verdicts import RULE, Verdict


def render(
  outcomes: Outcomes,
  rows: Sequence[Row],
  verdicts: Sequence[Verdict],
  provenance: Mapping[str, Any],
  pictures: Sequence[bytes],
) -> str:
  """Writes the page.

  Args:
    outcomes: the runs.
    rows: their table.
    verdicts: on the claims.
    provenance: where the numbers are from.
    pictures: the figure as PNG, for light and for dark.

  Returns:
    The page's HTML.
  """
  study = outcomes.study
  ends = '; '.join(f'{v.claim.id}: {v.status}' for v in verdicts)
  parts = [_header(outcomes)]
  if verdicts:
    parts += ['<h2>Claims</h2>', _tiles(verdicts)]
    parts += [*(_claim(verdict) for verdict in verdicts), _paragraph(RULE)]
  caption = CAPTION_OF_LOGS if study.is_of_logs else CAPTION
  alt = f'Return against learner steps, a line a method. {ends}.'
  parts += ['<h2>Returns</h2>', report_page.figure(pictures, alt, caption)]
  parts += ['<h2>Table</h2>', _table(study_tables.results(study, rows))]
  parts += [_paragraph(note) for note in study_tables.notes(outcomes)]
  if outcomes.missing:
    parts += ['<h2>Missing runs</h2>', _table(study_tables.missing(outcomes))]
  parts += [
    _details('Measures', study_tables.measures(study).rows),
    _details('Provenance', report_page.flatten(provenance)),
  ]
  return report_page.document(study.title, parts)


def _header(outcomes: Outcomes) -> str:
  study = outcomes.study
  done, planned = outcomes.finished_runs, len(study.cells)
  state = 'finished' if done == planned else 'in progress'
  kind = ' finished' if done == planned else ''
  tasks = ', '.join(dict.fromkeys(cell.task for cell in study.cells))
  seeds = ', '.join(str(s) for s in sorted({c.seed for c in study.cells}))
  facts = f'{done} of {planned} runs · {tasks} · seeds {seeds}'
  return (
    f'<h1>{html.escape(study.title)}</h1>\n<p><span class="badge{kind}">'
    f'{state}</span> · {html.escape(facts)}</p>'
  )


def _tiles(verdicts: Sequence[Verdict]) -> str:
  cells = '\n'.join(
    f'<div><dt>{html.escape(verdict.claim.id)}</dt>'
    f'<dd>{html.escape(verdict.status)}</dd></div>'
    for verdict in verdicts
  )
  return f'<dl class="tiles">\n{cells}\n</dl>'


def _claim(verdict: Verdict) -> str:
  kind = ' finished' if verdict.status == 'shown' else ''
  text = f'{verdict.claim.id}: {verdict.claim.text}'
  return (
    f'<h3>{html.escape(text)} <span class="badge{kind}">'
    f'{html.escape(verdict.status)}</span></h3>\n'
    + _table(study_tables.tests(verdict))
  )


def _table(table: Table) -> str:
  return report_page.table(table.head, table.rows)


def _paragraph(text: str) -> str:
  return f'<p class="muted">{html.escape(text)}</p>'


def _details(summary: str, pairs: Any) -> str:
  rows = '\n'.join(
    f'<tr><td><code>{html.escape(str(name))}</code></td>'
    f'<td>{html.escape(str(value))}</td></tr>'
    for name, value in pairs
  )
  return (
    f'<details><summary>{html.escape(summary)}</summary><div class="scroll">'
    f'<table class="plain">\n{rows}\n</table></div></details>'
  )
