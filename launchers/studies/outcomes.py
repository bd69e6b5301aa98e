"""What came of a study: its finished runs, and why the others are missing."""

from collections.abc import Iterator
import dataclasses
import json
from pathlib import Path
from typing import Optional

import numpy as np
import pandas as pd

from launchers.reports.data import NotARunError, RunRecord, load_run
from launchers.studies.config import AXES, Cell, Study, directory
from launchers.studies.measures import EXPERT_RETURNS, MEASURES, Curve
from launchers.studies.runner import COST

MAX_POINTS = 100
"""A longer curve is drawn, and written, as the means of blocks."""


@dataclasses.dataclass(frozen=True)
class Outcomes:
  """A study, as far as it has been run.

  Attributes:
    study: what was to be run.
    curves: of the finished runs, by the names of their cells.
    missing: why the others cannot be used, by name.
    cost: the CPU and wall seconds of the finished runs together; a cycle 0
      that runs share counts once.
  """

  study: Study
  curves: dict[str, Curve]
  missing: dict[str, str]
  cost: dict[str, float]

  @property
  def finished(self) -> list[Cell]:
    """The cells that have a curve, in the order of the study."""
    return [cell for cell in self.study.cells if cell.name in self.curves]

  @property
  def experts(self) -> dict[str, float]:
    """The return by which a task's scores were divided."""
    return {c.task: self.curves[c.name].expert for c in self.finished}

  def scores(self) -> pd.DataFrame:
    """A row a finished run: its axes and all measures."""
    rows = [
      [*(getattr(cell, axis) for axis in AXES)]
      + [measure(self.curves[cell.name]) for measure in MEASURES.values()]
      for cell in self.finished
    ]
    return pd.DataFrame(rows, columns=[*AXES, *MEASURES])

  def points(self) -> pd.DataFrame:
    """A row a point of a curve: its axes, step and return; π_0 is step 0."""
    rows = [
      [*(getattr(cell, axis) for axis in AXES), step, value]
      for cell in self.finished
      for step, value in _blocks(self.curves[cell.name])
    ]
    return pd.DataFrame(rows, columns=[*AXES, 'step', 'return'])


def collect(study: Study, runs: Path) -> Outcomes:
  """Reads the runs of a study.

  Args:
    study: tells which they are.
    runs: the directory that holds the run directories.
  """
  records, missing = {}, {}
  for cell in study.cells:
    record, reason = _read(directory(runs, 'cells') / cell.name)
    if record is None:
      missing[cell.name] = reason
    else:
      records[cell.name] = record
  cells = [cell for cell in study.cells if cell.name in records]
  experts = _experts(cells, records)
  curves = {c.name: _curve(records[c.name], experts[c.task]) for c in cells}
  return Outcomes(study, curves, missing, _cost(cells, runs))


def _read(root: Path) -> tuple[Optional[RunRecord], str]:
  """A finished run, or why there is none, without a path of this machine."""
  if not (root / 'config.json').exists():
    return None, 'not begun'
  try:
    run = load_run(root)
  except NotARunError as error:
    return None, str(error).replace(f'{root}/', '')
  done = len(run.finished) - 1
  if not run.is_finished:
    return None, f'unfinished: {max(done, 0)} of {run.num_cycles} cycles done'
  if run.teacher is None or 0 not in dict(run.finals):
    return None, 'finished, but without the return of its teacher or of π_0'
  return run, ''


def _curve(run: RunRecord, expert: float) -> Curve:
  rows = run.intervals()
  finals = [estimate.mean for _, estimate in run.finals]
  teacher = run.teacher
  assert teacher is not None  # `_read` lets no other run pass.
  return Curve(
    rows['step'].to_numpy(float),
    rows['return_mean'].to_numpy(float),
    start=finals[0],
    final=finals[-1],
    teacher=teacher.mean,
    expert=expert,
    learner_steps=run.learner_steps,
    cycles=run.num_cycles,
  )


def _experts(
  cells: list[Cell], records: dict[str, RunRecord]
) -> dict[str, float]:
  """Of each task: as measured here, one value a seed; else as shipped."""
  measured: dict[str, dict[int, float]] = {}
  for cell in cells:
    teacher = records[cell.name].teacher
    if cell.tier == 'expert' and teacher is not None:
      measured.setdefault(cell.task, {})[cell.seed] = teacher.mean
  means = {task: float(np.mean([*v.values()])) for task, v in measured.items()}
  # A task with neither has expert cells, of which none is finished yet.
  unknown = {cell.task: np.nan for cell in cells}
  return {**unknown, **EXPERT_RETURNS, **means}


def _cost(cells: list[Cell], runs: Path) -> dict[str, float]:
  """Of the cells and the cycles 0 that they share, where it was noted."""
  roots = {directory(runs, 'cells') / cell.name for cell in cells}
  roots |= {directory(runs, 'starts') / cell.start.run_name for cell in cells}
  paths = [root / COST for root in roots if (root / COST).is_file()]
  costs = [json.loads(path.read_text(encoding='utf-8')) for path in paths]
  keys = ('cpu_seconds', 'wall_seconds')
  return {key: round(sum(cost[key] for cost in costs), 1) for key in keys}


def _blocks(curve: Curve) -> Iterator[tuple[float, float]]:
  yield 0.0, curve.start
  count = min(len(curve.steps), MAX_POINTS)
  if count:
    steps = np.array_split(curve.steps, count)
    returns = np.array_split(curve.returns, count)
    for step, value in zip(steps, returns, strict=True):
      yield float(step.mean()), float(value.mean())
