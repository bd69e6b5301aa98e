"""The experts of studies: shipped, measured by cells, or measured once."""

import json
from pathlib import Path
import re
from typing import Any

import pytest

from launchers.studies.config import Study, StudyError
from launchers.studies.experts import SHIPPED
from launchers.studies.outcomes import collect
from teachers import snapshot
from tests.launchers.studies import samples as studies

OWN = 'tests.launchers.environments.examples:point'
HOPPER = {**studies.GRID, 'task': ['hopper-hop'], 'tier': ['mid']}


def make(tmp_path: Path, grid: Any = HOPPER, more: str = '') -> Study:
  return studies.load(studies.make(tmp_path, grid=grid, more=more))


def test_the_returns_are_those_of_the_shipped_table() -> None:
  text = (snapshot.SHIPPED / 'README.md').read_text(encoding='utf-8')
  rows = re.findall(r'\| ([\w-]+)/expert \| ([\d.]+) ±', text)
  assert {task: float(mean) for task, mean in rows} == SHIPPED


def test_nobody_measures_what_is_shipped_or_among_the_cells(
  tmp_path: Path,
) -> None:
  experts = studies.archive(tmp_path).experts
  assert not experts.missing(make(tmp_path, {**studies.GRID, 'tier': ['mid']}))
  both = {**HOPPER, 'tier': ['mid', 'expert']}
  assert not experts.missing(make(tmp_path, both))
  missing = experts.missing(make(tmp_path))
  assert missing == {'hopper-hop': 'hopper-hop/expert'}


def test_scores_are_divided_by_what_was_measured(tmp_path: Path) -> None:
  study, archive = make(tmp_path), studies.archive(tmp_path)
  for cell in study.cells:
    studies.run(tmp_path / 'runs', cell, expert=500.0)
  summary = {'task': 'hopper-hop', 'policy': 'hopper-hop/expert'}
  archive.experts.keep(study, 'hopper-hop', {**summary, 'return_mean': 250})
  assert not archive.experts.missing(study)
  outcomes = collect(study, archive)
  assert outcomes.experts == {'hopper-hop': 250.0}
  assert set(outcomes.scores()['start']) == {1.0}


@pytest.mark.parametrize('value', [0, -3.0, None, 'much', True])
def test_what_cannot_be_divided_by_is_not_kept(
  tmp_path: Path, value: Any
) -> None:
  experts = studies.archive(tmp_path).experts
  with pytest.raises(StudyError, match=r'The expert of hopper-hop.*positive'):
    experts.keep(make(tmp_path), 'hopper-hop', {'return_mean': value})
  assert experts.missing(make(tmp_path))


@pytest.mark.parametrize(
  ('text', 'message'),
  [
    ('[', 'hopper-hop.json.* no JSON.*Remove the file'),
    ('3', 'where a JSON object stood.*Remove the file'),
    ({'return_mean': -1}, 'positive and finite. Remove the file'),
    ({'return_mean': float('nan')}, 'positive and finite. Remove the file'),
    ({'policy': 'other.npz'}, "of 'other.npz', and the study's expert"),
  ],
)
def test_a_file_of_no_expert_is_refused(
  tmp_path: Path, text: Any, message: str
) -> None:
  kept = {
    'task': 'hopper-hop', 'policy': 'hopper-hop/expert', 'return_mean': 9,
  }  # fmt: skip
  path = tmp_path / 'kept/experts/hopper-hop.json'
  path.parent.mkdir(parents=True)
  if not isinstance(text, str):
    text = json.dumps({**kept, **text})
  path.write_text(text)
  with pytest.raises(StudyError, match=message):
    studies.archive(tmp_path).experts.missing(make(tmp_path))


def test_a_persons_own_task_names_its_teachers(tmp_path: Path) -> None:
  name = f'{OWN}?limit=9&edge=2'
  grid = {**studies.GRID, 'task': [name], 'tier': ['expert', 'mid']}
  with pytest.raises(StudyError, match=r'expert.*\[teachers\..*point.*ADDRESS'):
    make(tmp_path, grid)
  table = f"[teachers.'{name}']\nexpert = 'a.npz'\nmid = 'my:teacher?skill=1'"
  study = make(tmp_path, grid, table)
  first = study.cells[0]
  assert first.task == f'{OWN}?edge=2&limit=9'
  assert {cell.config.teacher for cell in study.cells} == {
    'a.npz',
    'my:teacher?skill=1',
  }
  short = 'tests.launchers.environments.examples-po'
  assert first.name.startswith(f'{short}-expert-none-2-0-')
  assert len({cell.name for cell in study.cells}) == len(study.cells)


@pytest.mark.parametrize(
  ('table', 'place'),
  [
    ('[teachers]\nx = 3', 'teachers.x is 3; give a table'),
    ('[teachers.x]\nmid = 3', 'teachers.x.mid is 3; give a line of text'),
  ],
)
def test_teachers_that_are_none_are_refused(
  tmp_path: Path, table: str, place: str
) -> None:
  with pytest.raises(StudyError, match=place):
    make(tmp_path, studies.GRID, table)
