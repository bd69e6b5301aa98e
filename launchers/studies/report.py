"""Writes what a study found: figure, page, tables and numbers."""

from collections.abc import Sequence
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from datasets import files
from launchers.reports import theme
from launchers.runs import provenance
from launchers.studies import measures, statistics, verdicts
from launchers.studies import page as study_page
from launchers.studies import plots as study_plots
from launchers.studies import tables as study_tables
from launchers.studies.archive import Archive
from launchers.studies.config import Study
from launchers.studies.outcomes import Outcomes, collect
from launchers.studies.statistics import Row
from launchers.studies.verdicts import Verdict

_LOG_WIDTH = 180  # Characters, where there is no terminal.


def write(study: Study, archive: Archive, output: Path) -> Path:
  """Writes the report of a study, as far as it has been run, and prints it.

  Writes figure.png, index.html, table.md, results.json and curves.csv. Prints
  the tables for people, and as the last line of output one JSON object.

  Args:
    study: what was to be run.
    archive: where its runs are.
    output: where to write.

  Returns:
    The page.

  Raises:
    StudyError: a claim cannot be decided by any run, or the file of a cell
      cannot be used; says why.
  """
  measures.check(study)
  outcomes = collect(study, archive)
  scores = outcomes.scores()
  rows = statistics.table(study, scores)
  judged = verdicts.judge(study, scores)
  made_by = origin(outcomes)
  themes = (theme.LIGHT, theme.DARK)
  pictures = [study_plots.figure(outcomes, t) for t in themes]
  page = output / 'index.html'
  files.remove_aside(files.make_directory(output))
  files.write_bytes(output / 'figure.png', pictures[0])
  html = study_page.render(outcomes, rows, judged, made_by, pictures)
  files.write_text(page, html)
  text = study_tables.markdown(outcomes, rows, judged, made_by)
  files.write_text(output / 'table.md', text)
  numbers = _numbers(outcomes, rows, judged, made_by)
  files.write_text(output / 'results.json', json.dumps(numbers, indent=1))
  points = outcomes.points().round({'step': 1, 'return': 2})
  points = points.rename(columns={'tier': study.axes[1]})
  columns = [*study.axes, 'step', 'return']
  text = points.to_csv(index=False, columns=columns)
  files.write_text(output / 'curves.csv', text)
  _print(outcomes, rows, judged, page)
  return page


def origin(outcomes: Outcomes) -> dict[str, Any]:
  """Which code, machines and command the numbers are from, without names."""
  study = outcomes.study
  seeds = dict.fromkeys(str(cell.seed) for cell in study.cells)
  return {
    'reported_by': provenance.collect(),
    'runs': outcomes.origins,
    'command': (
      f'python -m launchers.study studies/{study.name}.toml '
      f'--seeds {" ".join(seeds)}'
    ),
    'finished_runs': outcomes.finished_runs,
    'planned_runs': len(study.cells),
    'cost': outcomes.cost,
  }


def _numbers(
  outcomes: Outcomes,
  rows: Sequence[Row],
  verdicts: Sequence[Verdict],
  made_by: dict[str, Any],
) -> Any:
  scores = outcomes.scores().to_dict('records')
  return _finite(
    {
      'study': outcomes.study.name,
      'title': outcomes.study.title,
      'provenance': made_by,
      'expert_returns': outcomes.experts,
      'table': [dataclasses.asdict(row) for row in rows],
      'verdicts': [
        {'status': verdict.status, **dataclasses.asdict(verdict)}
        for verdict in verdicts
      ],
      'runs': [
        {
          'name': cell.column,
          **{axis: getattr(cell, axis) for axis in outcomes.study.axes},
          'teacher_return': outcomes.curves[cell.column].teacher,
          'measures': {m: score[m] for m in measures.NAMES},
        }
        for cell, score in zip(outcomes.finished, scores, strict=True)
      ],
      'missing': outcomes.missing,
    }
  )


def _finite(tree: Any) -> Any:
  """A tree for JSON, which has no NaN: null is what was not measured."""
  if isinstance(tree, dict):
    return {key: _finite(value) for key, value in tree.items()}
  if isinstance(tree, tuple) and hasattr(tree, '_asdict'):
    return _finite(tree._asdict())
  if isinstance(tree, (list, tuple)):
    return [_finite(value) for value in tree]
  if isinstance(tree, float):
    return round(tree, 6) if math.isfinite(tree) else None
  return tree


def _print(
  outcomes: Outcomes,
  rows: Sequence[Row],
  verdicts: Sequence[Verdict],
  page: Path,
) -> None:
  study = outcomes.study
  console = Console(stderr=True)
  if not console.is_terminal:
    console.width = _LOG_WIDTH
  results = study_tables.narrowed(
    study_tables.results(study, rows), console.width
  )
  table = Table(title=study.title, title_justify='left')
  for number, name in enumerate(results.head):
    table.add_column(name, justify='right' if number else 'left')
  for cells in results.rows:
    table.add_row(*cells)
  console.print(table, markup=False)
  for verdict in verdicts:
    console.print(
      f'{verdict.claim.id}: {verdict.status}. {verdict.claim.text}',
      markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    for cells in study_tables.tests(verdict).rows:
      console.print(
        '  ' + ' · '.join(cells), markup=False, highlight=False, soft_wrap=True
      )
  summary = {
    'study': study.name,
    'finished_runs': outcomes.finished_runs,
    'planned_runs': len(study.cells),
    'verdicts': {v.claim.id: v.status for v in verdicts},
    'report': str(page),
  }
  print(json.dumps(summary), flush=True)
