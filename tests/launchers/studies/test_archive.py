"""Studies that are read from files of cells, with no run directory left."""

import json
import shutil

import pytest

from launchers import report
from launchers.studies import report as study_report
from launchers.studies.config import directory
from tests.launchers.studies import samples as studies
from tests.launchers.studies.test_report import FILES


@pytest.fixture
def study(tmp_path):
  study = studies.load(studies.make(tmp_path))
  for cell in study.cells:
    studies.run(tmp_path / 'runs', cell)
  return study


def write(study, tmp_path, output):
  return study_report.write(study, studies.archive(tmp_path), tmp_path / output)


def test_files_of_cells_give_the_same_tables(tmp_path, study):
  for name in study.starts:
    cost = {'cpu_seconds': 10.0, 'wall_seconds': 5.0}
    root = directory(tmp_path / 'runs', 'starts') / name
    studies.write_json(root / 'study.json', cost)
  of_runs = write(study, tmp_path, 'one').parent
  archive = studies.archive(tmp_path)
  for cell in study.cells:
    archive.keep(cell, '')
  shutil.rmtree(tmp_path / 'runs')
  of_files = write(study, tmp_path, 'two').parent
  for name in FILES:
    first, second = [(f / name).read_bytes() for f in (of_runs, of_files)]
    assert first == second, name
  numbers = json.loads((of_files / 'results.json').read_text())
  origins = numbers['provenance']['runs']
  assert origins == {'1': {'runs': 12, **studies.PROVENANCE}}


def test_what_dead_writers_left_beside_the_files_is_cleared(tmp_path, study):
  archive = studies.archive(tmp_path)
  cells = archive.file(study.cells[0]).parent
  for directory_ in (cells, cells / 'experts', tmp_path / 'reports'):
    directory_.mkdir(parents=True)
    (directory_ / '.x.0123.aside').touch()
  archive.keep(study.cells[0], '')
  summary = {'task': 'cheetah-run', 'policy': 'x', 'return_mean': 250}
  archive.experts.keep(study, 'cheetah-run', summary)
  write(study, tmp_path, 'reports')
  assert not list(tmp_path.rglob('.*.aside'))


def test_a_damaged_file_of_a_cell_is_refused(tmp_path, study, capsys):
  archive = studies.archive(tmp_path)
  archive.keep(study.cells[0], '')
  path = archive.file(study.cells[0])
  path.write_text(path.read_text()[:-20])
  arguments = ['--runs', str(archive.runs), '--cells', str(path.parent)]
  assert report.main([str(tmp_path / 'figure0.toml'), *arguments]) == 2
  assert f'{path}: no whole JSON' in capsys.readouterr().err
