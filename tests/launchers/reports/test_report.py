"""The report of a run, in whatever state the run is."""

from html.parser import HTMLParser
import json
from pathlib import Path
import subprocess
import sys

import pytest

from launchers import report as report_command
from launchers.reports import plots as report_plots
from launchers.reports import report, tables
from launchers.reports.loading import NotARunError, load_run

CYCLES, STEPS = 2, 400
EVALUATION = 'cycle,step,kind,episodes,return_mean,return_std,return_min,'
EVALUATION += 'return_max'
METRICS = 'phase,step,loss,critic_loss,policy_loss'


def make_run(root: Path, finished: int = CYCLES) -> Path:
  """Writes a run of which cycles 0 … `finished` are done, the next is not."""
  root.mkdir(parents=True)
  config = {
    'name': root.name, 'task': 'cheetah-run', 'seed': 3, 'cycles': CYCLES,
    'actor_steps': 2_000, 'learner_steps': STEPS,
    'objective': {'kind': 'bc_decay', 'weight': 0.5},
  }  # fmt: skip
  (root / 'config.json').write_text(json.dumps(config))
  teacher = {'name': 'x/expert', 'return_mean': 800.0, 'return_std': 12.5}
  (root / 'teacher.json').write_text(json.dumps({**teacher, 'episodes': 10}))
  for cycle in range(min(finished + 1, CYCLES) + 1):
    make_cycle(root / 'cycles' / f'{cycle:03d}', cycle, cycle <= finished)
  return root


def make_cycle(directory: Path, cycle: int, is_finished: bool) -> None:
  directory.mkdir(parents=True)
  first = STEPS // CYCLES * (cycle - 1)
  if cycle == 0:
    rows = [f'clone,{n},{1 / n},,' for n in range(10, 100, 10)]
    rows += [f'pretrain,{n},,{2 / n},' for n in range(10, 100, 10)]
  else:
    rows = [f'learn,{first + n},,1.5,{n}' for n in range(20, 201, 20)]
  (directory / 'metrics.csv').write_text('\n'.join([METRICS, *rows, '']))
  rows = [EVALUATION]
  if cycle:
    rows += [
      f'{cycle},{first + n},interval,1,{300 + first + n},0,0,0'
      for n in range(50, 201, 50)
    ]
  if is_finished:
    mean = 400 + 100 * cycle
    rows += [f'{cycle},{first + 200},final,10,{mean},20.0,0,0']
    record = {
      'cycle': cycle, 'episodes': 3, 'steps': 1_234_567,
      'collected_return_mean': 250.0, 'collected_return_std': 5.0,
      'evaluation_return_mean': mean, 'evaluation_return_std': 20.0,
      'evaluation_episodes': 10, 'learner_steps': first + 200,
      'seconds': {'act': 61.0, 'learn': 3700.0, 'evaluate': 1.5},
      'acted_steps': 1_234_567, 'digest': 'd' * 64, 'policy_digest': 'e' * 64,
    }  # fmt: skip
    (directory / 'cycle.json').write_text(json.dumps(record))
  (directory / 'evaluation.csv').write_text('\n'.join([*rows, '']))


class Page(HTMLParser):
  """Collects what a page refers to, its text, and its unclosed tags."""

  VOID = ('meta', 'img', 'source', 'br')

  def __init__(self, path: Path):
    super().__init__()
    self.sources: list[str] = []
    self.text = ''
    self.open: list[str] = []
    self.feed(path.read_text(encoding='utf-8'))

  def handle_starttag(self, tag, attrs):
    self.sources += [v for k, v in attrs if k in ('src', 'srcset', 'href')]
    if tag not in self.VOID:
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.text += data


def test_writes_pictures_and_a_page_that_needs_nothing_else(tmp_path):
  page = report.write_report(make_run(tmp_path / 'r'))
  assert page == tmp_path / 'r' / 'report' / 'index.html'
  assert {path.name for path in page.parent.iterdir()} == {
    'index.html', 'learning_curve.png', 'losses.png',
  }  # fmt: skip
  for picture in page.parent.glob('*.png'):
    assert picture.read_bytes().startswith(b'\x89PNG')
  parsed = Page(page)
  assert parsed.open == []
  assert len(parsed.sources) == 4  # Two pictures, each for light and dark.
  assert all(s.startswith('data:image/png;base64,') for s in parsed.sources)
  assert 'http' not in page.read_text(encoding='utf-8')
  assert 'finished' in parsed.text
  assert 'in progress' not in parsed.text


def test_the_tables_hold_the_numbers(tmp_path):
  run = load_run(make_run(tmp_path / 'r'))
  head, rows = tables.returns_table(run)
  assert {len(row) for row in rows} == {len(head)}
  assert rows[2] == [
    '2', '3', '1\u202f234\u202f567', '250 ± 5', 'π₂', '600 ± 20', '75 %',
    '1.5', '200',
  ]  # fmt: skip
  head, rows = tables.work_table(run)
  assert {len(row) for row in rows} == {len(head)}
  assert rows[1][:5] == ['1', '200', '1 min 1 s', '1 h 1 min', '1.5 s']
  assert rows[1][5] == '20\u202f239'
  # Cycle 0 is not at learner step 0 for nothing.
  assert rows[0][1] == '90 + 90'
  assert rows[1][-2:] == ['dddddddd', 'eeeeeeee']


def change(directory, cycle, **values):
  """Puts other values into the record of a cycle."""
  path = directory / 'cycles' / f'{cycle:03d}' / 'cycle.json'
  path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_what_a_resumed_cycle_does_not_know_is_not_told(tmp_path):
  directory = make_run(tmp_path / 'r')
  whole = Page(report.write_report(directory)).text
  assert 'time, without start-up3 h 8 min' in whole
  change(directory, 1, acted_steps=2_000, seconds={'act': 0.05, 'learn': 60.0})
  run = load_run(directory)
  _, rows = tables.work_table(run)
  assert [row[5] for row in rows] == ['20\u202f239', '–', '20\u202f239']
  text = Page(report.write_report(directory)).text
  assert 'time, without start-up≥ 2 h 6 min' in text


def final(directory, cycle, mean, std=20.0):
  """Gives π_cycle another return, of 10 episodes."""
  path = directory / 'cycles' / f'{cycle:03d}' / 'evaluation.csv'
  *rows, last = path.read_text().splitlines()
  start = last.split(',')[:4]
  row = ','.join([*start, str(mean), str(std), '0', '0'])
  path.write_text('\n'.join([*rows, row, '']))


@pytest.mark.parametrize(
  ('returns', 'sentences'),
  [
    ((400, 500, 600), []),
    ((400, 500, 495), []),  # By chance.
    (
      (400, 500, 450),
      ['Cycle 2 made it worse: π₂ returns 450 ± 20, π₁ 500 ± 20.'],
    ),
    (
      (400, 300, 310),
      [
        'Cycle 1 made it worse: π₁ returns 300 ± 20, π₀ 400 ± 20.',
        'π₂ returns 310 ± 20, below π₀, the cloned policy (400 ± 20).',
      ],
    ),
    (
      (400, 500, 300),
      [
        'Cycle 2 made it worse: π₂ returns 300 ± 20, π₁ 500 ± 20; that is '
        'below π₀, the cloned policy (400 ± 20).'
      ],
    ),
  ],
)
def test_a_cycle_that_made_it_worse_is_named(tmp_path, returns, sentences):
  directory = make_run(tmp_path / 'r')
  for cycle, mean in enumerate(returns):
    final(directory, cycle, mean)
  page = report.write_report(directory)
  html = page.read_text(encoding='utf-8')
  assert html.count('<p class="worse">') == len(sentences)
  assert all(sentence in Page(page).text for sentence in sentences)


def test_the_best_and_the_last_policy_have_their_paths(tmp_path, capsys):
  directory = make_run(tmp_path / 'r')
  final(directory, 2, 450)
  assert report_command.main([str(directory)]) == 0
  said = capsys.readouterr().out
  text = Page(directory / 'report' / 'index.html').text
  for role, cycle in (('best', 1), ('deployed last', 2)):
    path = directory / 'cycles' / f'{cycle:03d}' / 'policy.npz'
    assert f'{role}{"π₁" if cycle == 1 else "π₂"}' in text
    assert str(path) in text
    assert f'{role}: {path}' in said
  assert 'Cycle 2 made it worse' in said


def test_skipped_evaluations_are_said(tmp_path):
  root = make_run(tmp_path / 'r')
  assert 'Skipped' not in report.write_report(root).read_text()
  path = root / 'cycles/002/cycle.json'
  summary = {**json.loads(path.read_text()), 'evaluation_skipped': 7}
  path.write_text(json.dumps(summary))
  text = report.write_report(root).read_text(encoding='utf-8')
  assert 'to leave the learner nine tenths of its time: 7.' in text


@pytest.mark.parametrize('finished', [-1, 0, 1])
def test_an_unfinished_run_is_reported_as_far_as_it_is(tmp_path, finished):
  directory = make_run(tmp_path / 'r', finished)
  with (directory / 'cycles' / '000' / 'metrics.csv').open('a') as file:
    file.write('clone,1e')  # What a kill leaves.
  run = load_run(directory)
  assert not run.is_finished
  assert len(run.finals) == finished + 1
  assert 'in progress' in Page(report.write_report(directory)).text


def test_an_empty_run_is_reported(tmp_path):
  directory = tmp_path / 'r'
  directory.mkdir()
  (directory / 'config.json').write_text('{"task": "walker-run"}')
  (directory / 'cycles' / '000').mkdir(parents=True)
  (directory / 'cycles' / '000' / 'metrics.csv').touch()
  page = Page(report.write_report(directory))
  assert 'in progress' in page.text
  assert len(page.sources) == 2


def test_evaluations_of_all_cycles_stand_in_order(tmp_path):
  run = load_run(make_run(tmp_path / 'r', finished=1))
  assert list(run.intervals()['step']) == list(range(50, 401, 50))
  assert [run.boundary(k) for k in range(3)] == [0, 200, 400]
  assert [(k, e.mean) for k, e in run.finals] == [(0, 400), (1, 500)]
  assert len(run.cycles[0].phase('clone')) == 9
  assert list(run.cycles[0].phase('clone')) == ['step', 'loss']


def test_many_evaluations_are_smoothed(tmp_path):
  directory = make_run(tmp_path / 'r', finished=0)
  rows = [f'1,{n},interval,1,{n % 7},0,0,0' for n in range(1, 200)]
  path = directory / 'cycles' / '001' / 'evaluation.csv'
  path.write_text('\n'.join([EVALUATION, *rows, '']))
  assert report_plots.learning_curve(load_run(directory)).startswith(b'\x89PNG')


@pytest.mark.parametrize(
  ('name', 'content', 'message'),
  [
    ('nothing', None, r'nothing is no directory'),
    ('empty', '', r'empty is no run directory: it has no config\.json'),
    ('torn', '{"task": ', r'config\.json is damaged'),
    ('list', '[1]', r'config\.json is damaged: it holds \[1\] where'),
  ],
)
def test_what_is_no_run_is_refused(tmp_path, capsys, name, content, message):
  make_run(tmp_path / 'known', finished=-1)
  directory = tmp_path / name
  if content is not None:
    directory.mkdir()
  if content:
    (directory / 'config.json').write_text(content)
  with pytest.raises(NotARunError, match=message):
    load_run(directory)
  assert report_command.main([str(directory)]) == 2
  error = capsys.readouterr().err
  if not content:
    assert 'Expected runs/NAME' in error
    assert str(tmp_path / 'known') in error


def test_names_cannot_inject_markup(tmp_path):
  directory = make_run(tmp_path / 'r', finished=0)
  config = json.loads((directory / 'config.json').read_text())
  config['task'] = config['name'] = '<script>alert(1)</script>'
  (directory / 'config.json').write_text(json.dumps(config))
  page = report.write_report(directory)
  assert '<script>' not in page.read_text(encoding='utf-8')
  assert Page(page).open == []


def test_the_command_reports_several_runs_without_tensorflow(tmp_path):
  runs = [str(make_run(tmp_path / name, finished=0)) for name in 'ab']
  program = (
    'import sys; from launchers import report; code = report.main(sys.argv[1:])'
    '; assert "tensorflow" not in sys.modules; sys.exit(code)'
  )
  result = subprocess.run(
    [sys.executable, '-c', program, *runs],
    capture_output=True, text=True, timeout=60,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
  assert 'a (in progress): teacher 800 ± 12, π₀ 400 ± 20' in result.stdout
  assert str(tmp_path / 'b' / 'report' / 'index.html') in result.stdout
