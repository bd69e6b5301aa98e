"""Files of cells: what they hold, and what is refused."""

import dataclasses
import json
from pathlib import Path
import re

import pandas as pd
import pytest

from launchers.studies import cell_file
from launchers.studies.archive import Archive
from launchers.studies.cell_check import CellFileError
from launchers.studies.config import Cell
from launchers.studies.results import Result, from_directory
from tests.launchers.studies import samples as studies

MEAN = r'"return_mean": .[\d.]+'
COMMAND = 'python -m launchers.study figure0.toml --only it'


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
  return studies.load(studies.make(tmp_path)).cells[0]


@pytest.fixture
def archive(tmp_path: Path, cell: Cell) -> Archive:
  """Of one finished run, which has losses and is kept."""
  root = studies.run(tmp_path / 'runs', cell)
  log(root, rows=20)
  archive = studies.archive(tmp_path)
  assert archive.keep(cell, COMMAND) == ''
  return archive


def log(root: Path, rows: int, speed: float = 100.0) -> None:
  head = 'phase,step,steps_per_second,critic_loss,q_mean'
  for cycle in range(studies.CYCLES + 1):
    lines = [
      f'learn,{100 * n},{speed},{n / 7:.6g},{"" if n == 3 else n + 0.125}'
      for n in range(rows)
    ]
    path = root / 'cycles' / f'{cycle:03d}' / 'metrics.csv'
    path.write_text('\n'.join([head, *lines, '']))


def of_directory(archive: Archive, cell: Cell) -> Result:
  result, reason = from_directory(archive.root(cell), archive.start(cell))
  assert result is not None, reason
  return result


def test_a_cell_is_what_its_directory_is(archive: Archive, cell: Cell) -> None:
  here, there = of_directory(archive, cell), archive.kept(cell)
  assert there is not None
  assert there.run.config == here.run.config == cell.config.to_json()
  assert there.run.teacher == here.run.teacher
  assert there.run.teacher_name == 'teacher it'
  assert there.run.finals == here.run.finals
  assert there.run.is_finished
  for name in ('step', 'return_mean', 'return_std'):
    pd.testing.assert_series_equal(
      there.run.intervals()[name], here.run.intervals()[name],
      check_index=False, check_exact=True,
    )  # fmt: skip
  for old, new in zip(here.run.cycles, there.run.cycles, strict=True):
    assert new.summary is not None
    assert old.summary == {'learner': studies.LEARNER, **new.summary}
    losses = old.phase('learn').drop(columns='steps_per_second')
    pd.testing.assert_frame_equal(new.phase('learn'), losses, check_exact=True)
  assert there.provenance == here.provenance
  assert there.provenance == [{**studies.PROVENANCE, 'cycles': [0, 1, 2]}]
  assert there.cost == here.cost == {'cpu_seconds': 3.0, 'wall_seconds': 2.0}
  assert there.teachers == {'demonstrator': {'name': 'it', 'version': 'v1'}}


def test_a_run_that_went_on_elsewhere_says_so(
  archive: Archive, cell: Cell
) -> None:
  path = archive.root(cell) / 'cycles/002/cycle.json'
  other = {**studies.PROVENANCE, 'commit': '1' * 40, 'dirty': True}
  record = {**json.loads(path.read_text()), 'provenance': other}
  path.write_text(json.dumps(record))
  archive.file(cell).unlink()
  archive.keep(cell, COMMAND)
  kept = archive.kept(cell)
  assert kept is not None
  assert [(p['commit'][0], p['cycles']) for p in kept.provenance] == [
    ('0', [0, 1]), ('1', [2]),
  ]  # fmt: skip


def test_how_fast_it_was_is_no_part_of_the_digest(
  archive: Archive, cell: Cell
) -> None:
  text = archive.file(cell).read_text()
  log(archive.root(cell), rows=20, speed=50.0)
  assert archive.keep(cell, 'another command') == ''
  assert archive.file(cell).read_text() == text
  archive.file(cell).unlink()
  archive.keep(cell, 'another command')
  digest = cell_file.load(archive.file(cell))['digest']
  assert digest == json.loads(text)['digest']


def test_of_two_results_the_first_stays(archive: Archive, cell: Cell) -> None:
  text = archive.file(cell).read_text()
  path = archive.root(cell) / 'cycles/001/evaluation.csv'
  path.write_text(path.read_text().replace('1,400,final,10,', '1,400,final,9,'))
  difference = archive.keep(cell, COMMAND)
  place = 'cycles[1].evaluations.final.episodes[0]'
  assert difference == f'{place}: 10 there, 9 here'
  assert archive.file(cell).read_text() == text


def test_long_losses_are_thinned_and_the_curve_is_not(
  archive: Archive, cell: Cell
) -> None:
  log(archive.root(cell), rows=5_001)
  archive.file(cell).unlink()
  archive.keep(cell, COMMAND)
  path = archive.file(cell)
  assert path.stat().st_size < cell_file.MAX_BYTES
  step = cell_file.load(path)['losses_are_of_every']
  kept = archive.kept(cell)
  assert kept is not None
  assert step == 8
  assert list(kept.run.cycles[1].phase('learn')['step'])[-2:] == [
    499_200, 500_000,
  ]  # fmt: skip
  assert len(kept.run.intervals()) == studies.STEPS // studies.INTERVAL


@pytest.mark.parametrize(
  ('old', 'new', 'message'),
  [
    (r'\Z', ' more', 'no whole JSON'),
    (r'\n \]\n?.*\Z', '', 'no whole JSON'),
    (r'"cycles": 2', '"cycles": 3', 'cycles: 2 after cycle 0'),
    (r'"format": 1', '"format": 2', 'format: 2; this version'),
    (r'"name": "cart', '"name": "bart', 'name: .* not the name of the file'),
    (r'"command"', '"kommand"', "lacks command"),
    (r'"seed": 0', '"seed": 1', 'digest: .* was altered'),
    (r'"cycle": 1,', '"cycle": 2,', r'cycles: they are numbered \[0, 2, 2\]'),
    (r'"steps": 8000', '"steps": "8"', r"cycles\[0\].steps: '8' is no int"),
    (r'"steps": 8000', '"steps": true', r'cycles\[0\].steps: True is no int'),
    (r'"steps": 8000', '"steps": NaN', 'it holds NaN'),
    (r'"steps": 8000', '"steps": 1e999', r'steps: inf is not finite'),
    (r'"policy_digest": ".', '"policy_digest": "x', 'policy_digest: .*SHA-256'),
    (r'"return_mean": \[', '"return_mean": [0,', r'\[0\].*columns differ'),
    (MEAN, '"return_mean": [null', 'return_mean.0.: None'),
    (MEAN, '"return_mean": [999', 'was altered'),
    (r'"refused": 0', '"episodes": 9', r"spent\[0\]: .*'episodes', unknown"),
    (r'"commit"', '"comet"', r'provenance\[0\]: lacks commit'),
    (r'"version": "v1"', '"version": 1', 'teachers.demonstrator.version: 1'),
    (r'"wall_seconds": 2.0', '"x": 2.0', r"cost: has a member 'x'"),
    (r'\Z', ' ' * 200_000, 'cells have 200,000'),
  ],
)  # fmt: skip
def test_what_is_no_cell_is_refused(
  archive: Archive, cell: Cell, old: str, new: str, message: str
) -> None:
  path = archive.file(cell)
  text, count = re.subn(old, new, path.read_text(), count=1, flags=re.DOTALL)
  assert count == 1
  path.write_text(text)
  with pytest.raises(CellFileError, match=message) as error:
    archive.kept(cell)
  assert str(path) in str(error.value)
  assert 'remove it and run the cell again' in str(error.value)
  with pytest.raises(CellFileError, match=message):
    archive.keep(cell, COMMAND)


def test_bytes_are_refused(archive: Archive, cell: Cell) -> None:
  archive.file(cell).write_bytes(b'\x93NUMPY\xff')
  with pytest.raises(CellFileError, match='no whole JSON'):
    archive.kept(cell)


def test_another_configuration_under_the_name_is_refused(
  archive: Archive, cell: Cell
) -> None:
  other = dataclasses.replace(cell.config, acting_noise=0.5)
  changed = dataclasses.replace(cell, config=other)
  with pytest.raises(CellFileError, match=r'acting_noise: 0.3 there, 0.5 here'):
    archive.find(changed)
  archive.file(cell).unlink()
  with pytest.raises(CellFileError, match=r'config.json, configuration: '):
    archive.keep(changed, COMMAND)
  assert not archive.file(cell).exists()


def test_an_unfinished_run_is_not_kept(tmp_path: Path, cell: Cell) -> None:
  studies.run(tmp_path / 'runs', cell, finished=1)
  archive = studies.archive(tmp_path)
  with pytest.raises(CellFileError, match='unfinished: 1 of 2'):
    archive.keep(cell, COMMAND)
  assert archive.kept(cell) is None
