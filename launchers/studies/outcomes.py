"""What came of a study: its finished runs, and why the others are missing."""

from collections.abc import Iterable, Iterator, Mapping
import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd

from launchers.reports.data import RunRecord
from launchers.studies.archive import Archive
from launchers.studies.config import AXES, Cell, Study
from launchers.studies.measures import MEASURES, MEASURES_OF_SEEDS, Curve
from launchers.studies.results import Result

MAX_POINTS = 100
"""A longer curve is drawn, and written, as the means of blocks."""


@dataclasses.dataclass(frozen=True)
class Outcomes:
  """A study, as far as it has been run.

  Attributes:
    study: what was to be run.
    curves: of the finished runs, by the names of their columns.
    missing: why the others cannot be used, by the same.
    cost: the CPU and wall seconds of the finished runs together; a cycle 0
      that runs share counts once.
    origins: what they ran with, each once, and how many of them did.
  """

  study: Study
  curves: dict[str, Curve]
  missing: dict[str, str]
  cost: dict[str, float]
  origins: dict[str, dict[str, Any]]

  @property
  def finished(self) -> list[Cell]:
    """The columns that have a curve, in the order of the study."""
    return [c for c in self.study.columns if c.column in self.curves]

  @property
  def finished_runs(self) -> int:
    """How many runs are done."""
    return len({cell.name for cell in self.finished})

  @property
  def experts(self) -> dict[str, float]:
    """The return by which a task's scores were divided."""
    return {c.task: self.curves[c.column].expert for c in self.finished}

  def scores(self) -> pd.DataFrame:
    """A row a finished run: its axes and all measures."""
    rows = [
      [*(getattr(cell, axis) for axis in AXES)]
      + [measure(self.curves[cell.column]) for measure in MEASURES.values()]
      for cell in self.finished
    ]
    scores = pd.DataFrame(rows, columns=[*AXES, *MEASURES])
    for name, measure in MEASURES_OF_SEEDS.items():
      scores[name] = measure(scores)
    return scores

  def points(self) -> pd.DataFrame:
    """A row a point of a curve: its axes, step and return; π_0 is step 0."""
    rows = [
      [*(getattr(cell, axis) for axis in AXES), step, value]
      for cell in self.finished
      for step, value in _blocks(self.curves[cell.column])
    ]
    return pd.DataFrame(rows, columns=[*AXES, 'step', 'return'])


def collect(study: Study, archive: Archive) -> Outcomes:
  """Reads the runs of a study.

  Args:
    study: tells which they are.
    archive: tells where they are.

  Raises:
    StudyError: the file of a cell is damaged or of another run; says which.
  """
  found, why = {}, {}
  for cell in study.cells:
    result, reason = archive.find(cell)
    if result is None:
      why[cell.name] = reason
    else:
      found[cell.name] = result
  cells = [cell for cell in study.cells if cell.name in found]
  experts = _experts(study, cells, found, archive)
  curves, missing = {}, {}
  for c in study.columns:
    if c.name in why:
      missing[c.column] = why[c.name]
    elif c.part and not len(_evaluations(found[c.name].run, c.part)):
      missing[c.column] = f'its agent has no {c.part} beside its policy'
    else:
      curves[c.column] = _curve(found[c.name].run, experts[c.task], c.part)
  return Outcomes(
    study, curves, missing, _cost(cells, found), _origins(found.values())
  )


def _evaluations(run: RunRecord, part: str) -> pd.DataFrame:
  """While it learned, of a run's policy, or of what is beside it."""
  if not part:
    return run.intervals()
  rows = run.cycles[-1].evaluation
  return rows[rows['kind'] == part].dropna(subset=['step', 'return_mean'])


def _curve(run: RunRecord, expert: float, part: str) -> Curve:
  rows = _evaluations(run, part)
  returns = rows['return_mean'].to_numpy(float)
  finals = dict(run.finals)
  teacher, last = run.teacher, run.cycles[-1].summary
  assert teacher is not None  # Else there is no `Result`.
  assert last is not None
  return Curve(
    rows['step'].to_numpy(float),
    returns,
    # A training from a log has no cycle 0.
    start=finals[0].mean if 0 in finals else np.nan,
    final=returns[-1] if part else finals[max(finals)].mean,
    teacher=teacher.mean,
    expert=expert,
    learner_steps=run.learner_steps,
    cycles=run.num_cycles,
    logged=last.get('collected_return_max', np.nan),
    value=np.nan if part else last.get('highest_value', np.nan),
  )


def _experts(
  study: Study,
  cells: list[Cell],
  found: Mapping[str, Result],
  archive: Archive,
) -> dict[str, float]:
  """Of each task: as measured by cells, one value a seed; else as kept.

  A log has no expert: its returns stay as they are.
  """
  if study.is_of_logs:
    return {cell.task: 1.0 for cell in cells}
  measured: dict[str, dict[int, float]] = {}
  for cell in cells:
    teacher = found[cell.name].run.teacher
    if cell.tier == 'expert' and teacher is not None:
      measured.setdefault(cell.task, {})[cell.seed] = teacher.mean
  means = {task: float(np.mean([*v.values()])) for task, v in measured.items()}
  for task in {cell.task for cell in cells} - means.keys():
    kept = archive.experts.find(study, task)
    # Without one, there are cells that are to measure it, and none is finished.
    means[task] = np.nan if kept is None else kept
  return means


def _cost(cells: list[Cell], found: Mapping[str, Result]) -> dict[str, float]:
  """Of the cells and the cycles 0 that they share, where it was noted."""
  costs = [found[cell.name].cost for cell in cells]
  starts = {c.start.run_name: found[c.name].start_cost for c in cells}
  costs += starts.values()
  keys = ('cpu_seconds', 'wall_seconds')
  return {key: round(sum(c.get(key, 0.0) for c in costs), 1) for key in keys}


def _origins(found: Iterable[Result]) -> dict[str, dict[str, Any]]:
  """What the runs ran with, each once and numbered, and how many of them did.

  A run that went on with other sources or elsewhere counts with each.
  """
  counts: dict[str, int] = {}
  for result in found:
    for entry in result.provenance:
      kept = {key: value for key, value in entry.items() if key != 'cycles'}
      key = json.dumps(kept)
      counts[key] = counts.get(key, 0) + 1
  return {
    str(number): {'runs': count, **json.loads(key)}
    for number, (key, count) in enumerate(counts.items(), 1)
  }


def _blocks(curve: Curve) -> Iterator[tuple[float, float]]:
  if not np.isnan(curve.start):
    yield 0.0, curve.start
  count = min(len(curve.steps), MAX_POINTS)
  if count:
    steps = np.array_split(curve.steps, count)
    returns = np.array_split(curve.returns, count)
    for step, value in zip(steps, returns, strict=True):
      yield float(step.mean()), float(value.mean())
