"""The report of a study, in whatever state the study is."""

import json
from pathlib import Path
import subprocess
import sys

import matplotlib.colors
import pandas as pd
import pytest

from launchers import report
from launchers.reports.theme import DARK, LIGHT
from launchers.studies import plots as study_plots
from launchers.studies import report as study_report
from launchers.studies.config import METHODS, directory
from launchers.studies.outcomes import MAX_POINTS, collect
from tests.launchers.reports.test_report import Page
from tests.launchers.studies import samples as studies

FILES = ('curves.csv', 'figure.png', 'index.html', 'results.json', 'table.md')


@pytest.fixture
def study(tmp_path):
  return studies.load(studies.make(tmp_path))


def write(study, tmp_path, output='report'):
  return study_report.write(study, studies.archive(tmp_path), tmp_path / output)


def run_all(study, tmp_path, **options):
  for cell in study.cells:
    studies.run(tmp_path / 'runs', cell, **options)


def test_writes_all_files_and_a_page_that_needs_nothing_else(
  tmp_path, study, capsys
):
  run_all(study, tmp_path)
  page = write(study, tmp_path)
  assert sorted(path.name for path in page.parent.iterdir()) == list(FILES)
  assert (page.parent / 'figure.png').read_bytes().startswith(b'\x89PNG')
  parsed = Page(page)
  assert parsed.open == []
  assert len(parsed.sources) == 2  # The figure, for light and dark.
  assert all(s.startswith('data:image/png;base64,') for s in parsed.sources)
  html = page.read_text(encoding='utf-8')
  assert 'http' not in html
  assert '<test>' not in html
  assert 'Figure 0: a <test>' in parsed.text
  assert 'A-C0: T <b>&</b> shown' in parsed.text
  assert 'finished' in parsed.text
  assert 'Missing runs' not in parsed.text
  last = capsys.readouterr().out.splitlines()[-1]
  assert json.loads(last) == {
    'study': 'figure0',
    'finished_runs': 12,
    'planned_runs': 12,
    'verdicts': {'A-C0': 'shown'},
    'report': str(page),
  }


def test_the_numbers(tmp_path, study):
  run_all(study, tmp_path)
  folder = write(study, tmp_path).parent
  numbers = json.loads((folder / 'results.json').read_text())
  none, fixed = numbers['table']
  # Steps 700 and 800 are the last quarter: 0.5 + 0.4 * 750 / 800.
  assert none['scores']['late']['value'] == pytest.approx(0.875)
  assert fixed['scores']['late']['value'] == pytest.approx(0.925)
  assert none['scores']['initial_drop']['value'] == pytest.approx(0.3 / 0.5)
  assert none['scores']['final']['value'] == pytest.approx(0.9)
  assert fixed['improvements']['late']['value'] == 1.0
  assert numbers['expert_returns'] == studies.TASKS
  (test,) = numbers['verdicts'][0]['tests']
  assert test['difference']['value'] == pytest.approx(0.05)
  assert len(numbers['runs']) == 12
  assert numbers['runs'][0]['measures']['start'] == 0.5
  # Six of the twelve share each start; none of the starts has been noted.
  assert numbers['provenance']['cost'] == {
    'cpu_seconds': 36.0, 'wall_seconds': 24.0,
  }  # fmt: skip
  curves = pd.read_csv(folder / 'curves.csv')
  assert list(curves) == [
    'task', 'tier', 'seed', 'cycles', 'method', 'step', 'return',
  ]  # fmt: skip
  assert len(curves) == 12 * (studies.STEPS // studies.INTERVAL + 1)
  assert list(curves['return'][:3]) == [500.0, 300.0, 600.0]


def test_the_same_runs_give_the_same_tables(tmp_path, study):
  run_all(study, tmp_path)
  folders = [write(study, tmp_path, name).parent for name in ('one', 'two')]
  for name in FILES:
    first, second = [(folder / name).read_bytes() for folder in folders]
    assert first == second, name


def test_no_file_holds_a_path_of_the_machine(tmp_path, study):
  run_all(study, tmp_path)
  broken = directory(tmp_path / 'runs', 'cells') / study.cells[0].name
  (broken / 'config.json').write_text('{"torn')
  folder = write(study, tmp_path).parent
  for name in FILES:
    assert str(tmp_path).encode() not in (folder / name).read_bytes(), name
  assert 'config.json is damaged' in (folder / 'table.md').read_text()


def test_a_half_finished_study_is_reported_as_far_as_it_is(tmp_path, study):
  for cell in study.cells:
    if cell.seed == 0 or (cell.seed, cell.task) == (1, 'cartpole-balance'):
      studies.run(tmp_path / 'runs', cell)
    elif cell.seed == 1:
      studies.run(tmp_path / 'runs', cell, finished=1)
  page = write(study, tmp_path)
  text = Page(page).text
  assert 'in progress' in text
  assert '6 of 12 runs' in text
  assert 'unfinished: 1 of 2 cycles done' in text
  assert 'not begun' in text
  numbers = json.loads((page.parent / 'results.json').read_text())
  assert numbers['verdicts'][0]['status'] == 'incomplete'
  assert len(numbers['missing']) == 6
  none = numbers['table'][0]
  # Seed 1 is finished on one of two tasks.
  assert (none['runs'], none['planned'], none['seeds']) == (3, 6, [0])
  assert none['scores']['late']['low'] is None


def test_a_study_that_has_not_begun_is_reported(tmp_path, study):
  page = write(study, tmp_path)
  assert '0 of 12 runs' in Page(page).text
  numbers = json.loads((page.parent / 'results.json').read_text())
  assert numbers['table'][0]['scores']['late']['value'] is None


def test_a_run_without_its_teachers_return_is_missing(tmp_path, study):
  run_all(study, tmp_path)
  name = study.cells[0].name
  (directory(tmp_path / 'runs', 'cells') / name / 'teacher.json').unlink()
  outcomes = collect(study, studies.archive(tmp_path))
  assert list(outcomes.missing) == [name]
  assert 'without the return of its teacher' in outcomes.missing[name]


def test_shared_starts_cost_once(tmp_path, study):
  run_all(study, tmp_path)
  for name in study.starts:
    root = directory(tmp_path / 'runs', 'starts') / name
    studies.write_json(
      root / 'study.json', {'cpu_seconds': 10.0, 'wall_seconds': 5.0}
    )
  assert len(study.starts) == 6
  cost = collect(study, studies.archive(tmp_path)).cost
  assert cost == {'cpu_seconds': 96.0, 'wall_seconds': 54.0}


@pytest.mark.parametrize(
  ('tiers', 'expert'),
  [(['expert', 'mid'], 800.0), (['mid'], 868.0)],
  ids=['measured', 'shipped'],
)
def test_mid_tier_runs_are_divided_by_the_experts_return(
  tmp_path, tiers, expert
):
  grid = {**studies.GRID, 'tier': tiers, 'task': ['cheetah-run']}
  study = studies.load(studies.make(tmp_path, grid=grid))
  run_all(study, tmp_path)
  outcomes = collect(study, studies.archive(tmp_path))
  assert outcomes.experts == {'cheetah-run': expert}
  scores = outcomes.scores()
  assert set(scores['start'].round(6)) == {round(400 / expert, 6)}
  mid = scores[scores['tier'] == 'mid']
  late = mid['late'] * expert
  assert list(mid['final_vs_teacher']) == pytest.approx(list(late / 560))
  assert study_plots.figure(outcomes).startswith(b'\x89PNG')


def test_long_curves_are_written_as_means_of_blocks(
  tmp_path, study, monkeypatch
):
  run_all(study, tmp_path)
  outcomes = collect(study, studies.archive(tmp_path))
  assert studies.STEPS // studies.INTERVAL <= MAX_POINTS
  monkeypatch.setattr('launchers.studies.outcomes.MAX_POINTS', 4)
  points = outcomes.points()
  first = points[: 4 + 1]
  assert list(first['step']) == [0, 150, 350, 550, 750]
  assert first['return'].iloc[-1] == pytest.approx(875.0)


def test_a_method_looks_the_same_in_every_study(tmp_path):
  own = "[methods.mine]\nobjective = {kind = 'bc_fixed', weight = 2.0}"
  every = studies.load(
    studies.make(
      tmp_path, grid={**studies.GRID, 'method': [*METHODS, 'mine']}, more=own
    )
  )
  few = studies.load(studies.make(tmp_path))
  lines = [study_plots.style(every, m, LIGHT) for m in [*METHODS, 'mine']]
  assert len({str(line) for line in lines}) == len(lines)
  for theme in (LIGHT, DARK):
    for method in ('none', 'bc_fixed'):
      line = study_plots.style(few, method, theme)
      assert line == study_plots.style(every, method, theme)
      assert matplotlib.colors.is_color_like(line.color)


def test_the_command(tmp_path, study):
  run_all(study, tmp_path)
  arguments = [str(tmp_path / 'figure0.toml'), '--runs', str(tmp_path / 'runs')]
  program = (
    'import sys; from launchers import report; code = report.main(sys.argv[1:])'
    '; assert "tensorflow" not in sys.modules; sys.exit(code)'
  )
  result = subprocess.run(
    [
      sys.executable, '-c', program, *arguments,
      '--cells', str(tmp_path / 'kept'), '--seeds', '0', '1', '7',
    ],
    capture_output=True, text=True, timeout=60,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
  summary = json.loads(result.stdout.splitlines()[-1])
  assert summary['finished_runs'] == 8
  page = tmp_path / 'runs' / 'studies' / 'reports' / 'figure0' / 'index.html'
  assert Path(summary['report']) == page
  assert page.is_file()
  assert 'bc_fixed' in result.stderr
  assert 'A-C0: incomplete' in result.stderr


def test_what_is_no_study_is_refused(tmp_path, capsys):
  assert report.main([str(tmp_path / 'none.toml')]) == 2
  assert 'none.toml does not exist' in capsys.readouterr().err
  path = studies.make(tmp_path, studies.claim('speed', 'none', above=1))
  assert report.main([str(path), '--runs', str(tmp_path)]) == 2
  assert "measures 'speed'" in capsys.readouterr().err


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['runs/a', '--seeds', '1'], '--seeds is for studies'),
    (['runs/a', 'runs/b', '--output', 'x'], '--output is for one report'),
    (['a.toml', 'b.toml', '--output', 'x'], '--output is for one report'),
  ],
)
def test_options_that_mean_nothing_are_refused(capsys, arguments, message):
  assert report.main(arguments) == 2
  assert message in capsys.readouterr().err
