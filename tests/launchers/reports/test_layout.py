"""Nothing is cut and nothing overlaps: on the pages, and in their pictures."""

import dataclasses
import itertools
from pathlib import Path
import re
import shutil
import subprocess

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
import pytest

from launchers.reports import plots as report_plots
from launchers.reports import report
from launchers.reports.loading import load_run
from launchers.studies import plots as study_plots
from launchers.studies import report as study_report
from launchers.studies.outcomes import collect
from tests.launchers.reports.test_report import EVALUATION, final, make_run
from tests.launchers.studies import samples

CHROMIUM = shutil.which('chromium')
# What a person has to scroll for, and cells whose text leaves them.
SCRIPT = """
<script>
addEventListener('load', () => {
  const wide = (e) => e.scrollWidth > e.clientWidth + 1;
  const cut = [...document.querySelectorAll('html, .scroll, th, td, dd, h1')]
    .filter(wide).map((e) => e.tagName + ' ' + e.innerText.slice(0, 200));
  document.documentElement.setAttribute('cut', JSON.stringify(cut));
});
</script>
"""
GRID = {
  **samples.GRID, 'tier': ['expert', 'mid'], 'seed': [0, 1],
  'method': ['none', 'teacher_action_r5'],
}  # fmt: skip
CLAIM = samples.claim('late', 'teacher_action_r5', above_method='none')


def cut_off(page: Path, width: int, profile: Path) -> str:
  """What of a page is not seen in a window of that width."""
  assert CHROMIUM is not None
  copy = page.with_name('measured.html')
  text = page.read_text(encoding='utf-8')
  copy.write_text(text.replace('</body>', f'{SCRIPT}</body>'), 'utf-8')
  result = subprocess.run(
    [
      CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu',
      '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      f'--user-data-dir={profile}', f'--window-size={width},1000',
      '--dump-dom', copy.resolve().as_uri(),
    ],
    capture_output=True, text=True, timeout=60, check=True,
  )  # fmt: skip
  found = re.search(r'<html[^>]* cut="([^"]*)"', result.stdout)
  assert found, 'The page was not measured.'
  return found[1]


def write_study(root: Path, grid: dict[str, object]) -> Path:
  path = samples.make(root, CLAIM, grid=grid)
  study = samples.load(path)
  for cell in study.cells:
    samples.run(root / 'runs', cell)
  return study_report.write(study, samples.archive(root), root / 'out')


@pytest.fixture(scope='module')
def pages(tmp_path_factory) -> dict[str, Path]:
  root = tmp_path_factory.mktemp('pages')
  run = make_run(root / ('a-long-name-' * 5))
  return {
    'run': report.write_report(run), 'study': write_study(root, GRID)
  }  # fmt: skip


@pytest.mark.skipif(CHROMIUM is None, reason='apt-get install chromium')
@pytest.mark.parametrize('width', [800, 1200, 1600])
@pytest.mark.parametrize('kind', ['run', 'study'])
def test_nothing_is_cut(pages, tmp_path, kind, width):
  assert cut_off(pages[kind], width, tmp_path / 'profile') == '[]'


@dataclasses.dataclass
class Drawn:
  """The last figure that was drawn, and its texts as they came to stand."""

  figure: Figure = dataclasses.field(default_factory=Figure)
  texts: dict[Text, Bbox] = dataclasses.field(default_factory=dict)

  def overlaps(self) -> list[tuple[str, str]]:
    """Pairs of texts that touch, and texts that leave the picture."""
    found = [
      (one.get_text(), other.get_text())
      for (one, box), (other, another) in itertools.combinations(
        self.texts.items(), 2
      )
      if box.overlaps(another)
    ]
    width, height = self.figure.get_size_inches() * report_plots.DPI
    found += [
      (text.get_text(), 'the edge')
      for text, box in self.texts.items()
      if box.x0 < 0 or box.x1 > width or box.y0 < 0 or box.y1 > height
    ]
    return found


@pytest.fixture
def drawn(monkeypatch) -> Drawn:
  """What is drawn from now on."""
  drawn = Drawn()
  draw_figure, draw_text = Figure.draw, Text.draw

  def draw(self, renderer):
    drawn.figure = self
    drawn.texts.clear()  # A layout engine draws, too, to measure.
    return draw_figure(self, renderer)

  def write(self, renderer):
    if self.get_visible() and self.get_text().strip():
      drawn.texts[self] = self.get_window_extent(renderer)
    return draw_text(self, renderer)

  monkeypatch.setattr(Figure, 'draw', draw)
  monkeypatch.setattr(Text, 'draw', write)
  return drawn


def test_no_titles_touch_in_the_losses(tmp_path, drawn):
  directory = make_run(tmp_path / 'r')
  (path,) = directory.glob('cycles/000/metrics.csv')
  head = 'phase,step,cloning_loss,held_out_loss,policy_gradient_norm'
  rows = [
    f'clone,{n},{n / 1e5},{n / 1e5},{n / 500}' for n in range(10, 100, 10)
  ]
  path.write_text('\n'.join([head, *rows, '']))
  report_plots.losses(load_run(directory))
  assert 'policy gradient norm' in {t.get_text() for t in drawn.texts}
  assert drawn.overlaps() == []


def test_no_texts_touch_in_the_learning_curve(tmp_path, drawn):
  directory = make_run(tmp_path / 'r')
  rows = [f'1,{n},interval,1,{n % 7},0,0,0' for n in range(1, 200)]
  path = directory / 'cycles/001/evaluation.csv'
  path.write_text(
    '\n'.join([EVALUATION, *rows, '1,200,final,10,500,20,0,0', ''])
  )
  final(directory, 2, 450)
  report_plots.learning_curve(load_run(directory))
  labels = {'while learning, mean of 5', 'got worse'}
  assert labels <= {t.get_text() for t in drawn.texts}
  assert drawn.overlaps() == []


@pytest.mark.parametrize('tasks', [['cheetah-run'], list(samples.TASKS)])
def test_a_study_draws_each_task_once(tmp_path, drawn, tasks):
  path = samples.make(tmp_path, CLAIM, grid={**GRID, 'task': tasks})
  study = samples.load(path)
  for cell in study.cells:
    samples.run(tmp_path / 'runs', cell)
  study_plots.figure(collect(study, samples.archive(tmp_path)))
  assert drawn.overlaps() == []
  panels = 1 if len(tasks) == 1 else 1 + len(tasks)
  assert len(drawn.figure.findobj(Axes)) == 2 * panels  # A row a teacher.
