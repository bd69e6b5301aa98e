"""The two tables of studies/explain.py, on numbers that are known."""

from pathlib import Path

import pytest

from launchers.studies.archive import Archive
from studies import explain
from tests.launchers.studies import samples as studies

TASK = 'cartpole-balance'


def test_beliefs_are_in_the_units_of_the_critic(tmp_path: Path) -> None:
  study = studies.load(studies.make(tmp_path))
  for cell in study.cells:
    root = studies.run(tmp_path, cell, lambda cell, step: 0.5)
    for cycle in range(1, studies.CYCLES + 1):
      rows = ''.join(f'learn,{n},{40 + cell.seed}\n' for n in range(5))
      path = root / 'cycles' / f'{cycle:03d}' / 'metrics.csv'
      path.write_text(f'phase,step,q_mean\n{rows}')
  table = explain.beliefs(study, TASK, Archive(tmp_path, tmp_path / 'none'))
  assert len(table) == 2 * studies.CYCLES
  # Seeds 0, 1, 2; half of a return of 1000, of 1000 steps, with γ = 0.99.
  assert table['critic'].to_list() == pytest.approx([41.0] * len(table))
  assert table['earned'].to_list() == pytest.approx([50.0] * len(table))


def test_each_tier_asks_the_teacher_of_one_start(tmp_path: Path) -> None:
  grid = {**studies.GRID, 'tier': ['expert', 'mid']}
  study = studies.load(studies.make(tmp_path, grid=grid))
  found = dict(explain._starts(study, TASK))
  assert set(found) == {'expert', 'mid'}
  assert set(found.values()) <= set(study.starts)
