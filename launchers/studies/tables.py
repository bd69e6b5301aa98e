"""A study's results in words: for its page, its Markdown and the console."""

from collections.abc import Mapping, Sequence
import json
import math
from typing import Any, NamedTuple

from launchers.studies.config import Study, Test
from launchers.studies.measures import explain
from launchers.studies.outcomes import Outcomes
from launchers.studies.statistics import IMPROVEMENTS, SCORES, Interval, Row
from launchers.studies.verdicts import RULE, JudgedTest, Verdict

_NONE = '–'
_LEAST_TELLING = ('seeds', 'cycles', 'teacher', 'log', 'initial_drop')


class Table(NamedTuple):
  """Cells of text."""

  head: list[str]
  rows: list[list[str]]


def results(study: Study, rows: Sequence[Row]) -> Table:
  """A row a method; interquartile means with their intervals."""
  group = ['log'] if study.is_of_logs else ['teacher', 'cycles']
  scores = _scores(study)
  head = ['method', *group, 'runs', 'seeds', *scores]
  head += [f'P({m} > {study.baseline})' for m in IMPROVEMENTS]
  lines = []
  for row in rows:
    cells = [row.method, row.tier, str(row.cycles)][: 1 + len(group)]
    cells += [f'{row.runs} of {row.planned}', str(len(row.seeds))]
    cells += [interval(row.scores[measure]) for measure in scores]
    cells += [
      interval(row.improvements[m]) if m in row.improvements else _NONE
      for m in IMPROVEMENTS
    ]
    lines.append(cells)
  return Table(head, lines)


def _scores(study: Study) -> list[str]:
  """Those that its runs have: without cloning nothing is lost of it."""
  return [m for m in SCORES if m != 'initial_drop' or not study.is_of_logs]


def narrowed(table: Table, width: int) -> Table:
  """What of `results` fits; columns go whole, the least telling ones first."""
  kept = list(range(len(table.head)))
  lengths = [
    max(map(len, column)) + 3  # With its margins and the line beside it.
    for column in zip(table.head, *table.rows, strict=True)
  ]
  improvements = [name for name in table.head if name.startswith('P(')]
  for name in (*improvements[::-1], *_LEAST_TELLING):
    if sum(lengths[i] for i in kept) < width:
      break
    if name in table.head:
      kept.remove(table.head.index(name))
  return Table(
    [table.head[i] for i in kept],
    [[cells[i] for i in kept] for cells in table.rows],
  )


def tests(verdict: Verdict) -> Table:
  """A row a test of a claim."""
  head = ['test', 'mean difference', 'wanted', 'result']
  rows = [
    [
      describe_test(judged.test),
      interval(judged.difference, '+.3f'),
      _wanted(judged),
      judged.status,
    ]
    for judged in verdict.tests
  ]
  return Table(head, rows)


def missing(outcomes: Outcomes) -> Table:
  """A row a run that could not be used."""
  axes = outcomes.study.axes
  rows = [
    [
      *(str(getattr(cell, axis)) for axis in axes),
      outcomes.missing[cell.column],
    ]
    for cell in outcomes.study.columns
    if cell.column in outcomes.missing
  ]
  return Table([*axes, 'why'], rows)


def measures(study: Study) -> Table:
  """A row a measure that the page uses, and what it is."""
  used = {test.measure: None for c in study.claims for test in c.tests}
  names = dict.fromkeys([*_scores(study), *used])
  return Table(['measure', 'is'], [[name, explain(name)] for name in names])


def notes(outcomes: Outcomes) -> list[str]:
  """What a reader of the tables must know, a sentence or two each."""
  lines = [
    'Scores are interquartile means over tasks and seeds with 95 % intervals '
    'of the stratified bootstrap (rliable); P is the probability that a run of '
    'the method beats one of the baseline on the same task, runs unpaired.',
    _divisor(outcomes),
  ]
  if outcomes.missing:
    lines.append(
      f'{len(outcomes.missing)} of {len(outcomes.study.columns)} runs are '
      'missing. A row uses only the seeds that are finished for every task.'
    )
  return lines


def _divisor(outcomes: Outcomes) -> str:
  if outcomes.study.is_of_logs:
    return (
      'Returns are not divided by an expert’s, whatever a measure says. '
      'METHOD:prior is the prior beside the policy of METHOD, of the same '
      'runs; the teacher of a run is who acted in its log.'
    )
  experts = ', '.join(
    f'{task} {value:.1f}' for task, value in sorted(outcomes.experts.items())
  )
  return (
    f'Returns are divided by those of the experts: {experts or "none yet"}.'
  )


def describe_test(test: Test) -> str:
  """'initial_drop of bc_fixed above that of none, cycles 4'."""
  side = 'above' if test.is_above else 'below'
  bound = test.bound
  other = f'that of {bound}' if isinstance(bound, str) else f'{bound:g}'
  if test.times != 1:
    other = f'{test.times:g} times {other}'
  where = ''.join(f', {axis} {value}' for axis, value in test.where.items())
  return f'{test.measure} of {test.method} {side} {other}{where}'


def interval(value: Interval, form: str = '.2f') -> str:
  """'0.93 [0.91, 0.95]', as far as there are numbers."""
  if math.isnan(value.value):
    return _NONE
  middle, low, high = (format(number, form) for number in value)
  return middle if math.isnan(value.low) else f'{middle} [{low}, {high}]'


def markdown(
  outcomes: Outcomes,
  rows: Sequence[Row],
  verdicts: Sequence[Verdict],
  provenance: Mapping[str, Any],
) -> str:
  """The tables to be quoted in a document."""
  study = outcomes.study
  lines = [f'# {study.title}', '', _markdown(results(study, rows)), '']
  lines += [f'{note}\n' for note in notes(outcomes)]
  if verdicts:
    lines += ['## Claims', '']
  for verdict in verdicts:
    claim = verdict.claim
    lines += [f'**{claim.id}: {verdict.status}.** {claim.text}', '']
    lines += [_markdown(tests(verdict)), '']
  lines += [RULE, ''] if verdicts else []
  lines += ['## Measures', '', _markdown(measures(study)), '']
  if outcomes.missing:
    lines += ['## Missing runs', '', _markdown(missing(outcomes)), '']
  lines += ['## Provenance', '', '```json', json.dumps(provenance, indent=2)]
  return '\n'.join([*lines, '```', ''])


def _markdown(table: Table) -> str:
  rule = ['---'] * len(table.head)
  lines = [table.head, rule, *table.rows]
  return '\n'.join(
    '| ' + ' | '.join(cell.replace('|', '\\|') for cell in line) + ' |'
    for line in lines
  )


def _wanted(judged: JudgedTest) -> str:
  pairs = f'{judged.wanted} of {judged.pairs} pairs'
  if judged.pairs < judged.planned:
    pairs += f' ({judged.planned} planned)'
  return pairs
