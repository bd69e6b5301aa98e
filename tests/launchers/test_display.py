"""What stands on a terminal, however narrow, low or dumb it is."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from launchers import display
from launchers.reports import cycles
from launchers.runs.config import DEMO, GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

CYCLES = 20
RECORD: dict[str, Any] = {
  'episodes': 40, 'steps': 40_000, 'acted_steps': 40_000,
  'collected_return_mean': 817.3, 'collected_return_std': 98.7,
  'evaluation_return_mean': 577.7, 'evaluation_return_std': 138.2,
  'seconds': {'act': 1.6, 'learn': 22.5},
  'learner': {
    'critic_loss': 0.9599, 'policy_loss': -0.011889, 'steps_per_second': 326.6,
  },
}  # fmt: skip


def status_of(cycle: int, **changes: Any) -> dict[str, Any]:
  return {
    'cycle': cycle, 'phase': 'learn', 'troubles': {}, 'refused': 0,
    'learner': {**RECORD['learner'], 'phase': 'learn', 'step': 1, 'end': 8_000},
    'seconds': {'act': 1.6}, 'collected': {cycle: (40, 40)},
    'steps': {cycle: 40_000}, 'acted_steps': 40_000,
    'returns': {cycle: {'return_mean': 840.1, 'return_std': 10.2}}, **changes,
  }  # fmt: skip


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
  """Of a run whose first twelve cycles are done."""
  directory = RunDirectory(tmp_path / 'run')
  directory.write_json(
    directory.teacher_result,
    {'return_mean': 864.1, 'return_std': 0.6, 'episodes': 10},
  )
  for cycle in range(12):
    directory.cycle(cycle).mkdir(parents=True)
    directory.write_json(
      directory.cycle(cycle) / 'cycle.json', {'cycle': cycle, **RECORD}
    )
  return directory


@pytest.fixture
def config() -> GrowingBatchConfig:
  return dataclasses.replace(DEMO, cycles=CYCLES)


def screen(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  status: dict[str, Any],
  width: int,
  height: int,
) -> list[str]:
  """The lines that a terminal of that size shows."""
  console = Console(
    file=io.StringIO(), force_terminal=True, width=width, height=height
  )
  shown = display.Display(config, directory, console)
  shown.update(status)
  lines = console.render_lines(shown._live.get_renderable(), pad=False)
  return [''.join(part.text for part in line) for line in lines]


@pytest.mark.parametrize('width', [30, 40, 60, 80, 100, 160])
def test_a_cycle_is_a_line_at_any_width(config, directory, width):
  table = cycles.cycle_table(config, directory, width=width)
  lines = Console(width=width).render_lines(table, pad=False)
  texts = [''.join(part.text for part in line) for line in lines]
  assert max(map(cell_len, texts)) <= width
  assert len(texts) == CYCLES + 4  # A title, heads, the teacher and π_0.
  assert all(line.split()[0] == str(k) for k, line in enumerate(texts[3:]))
  assert ('critic' in texts[1]) == (width >= 80)
  assert ('critic loss' in texts[1]) == (width >= 110)
  assert '578 ± 138' in texts[4] or '577.7 ± 138.2' in texts[4]


@pytest.mark.parametrize('height', [8, 12, 24])
@pytest.mark.parametrize('width', [40, 80])
@pytest.mark.parametrize('cycle', [0, 6, 12, 20])
def test_the_bar_stays(config, directory, width, height, cycle):
  lines = screen(config, directory, status_of(cycle), width, height)
  assert len(lines) < height
  assert max(map(cell_len, lines)) <= width
  assert lines[-1].startswith(f'cycle {cycle}')
  assert '1/8000 updates' in lines[-1]
  assert any(line.split()[:1] == [str(cycle)] for line in lines[2:-1])


def test_an_unknown_amount_is_not_told(config, directory):
  lines = screen(config, directory, status_of(3, phase='evaluate'), 80, 24)
  assert lines[-1].startswith('cycle 3: evaluating')
  assert '?' not in lines[-1]


def test_hosts_are_told_where_others_act(config, directory):
  hosts = {'lab-3f': (2, 30), 'this host': (1, 10)}
  alone = {'this host': (1, 40)}
  line = 'lab-3f: 2 workers, 30 episodes; this host: 1 workers, 10 episodes'
  shown = screen(config, directory, status_of(3, hosts=hosts), 100, 24)
  assert shown[-1] == line
  shown = screen(config, directory, status_of(3, hosts=hosts, lost=1), 100, 24)
  assert shown[-1] == f'{line}; 1 workers lost'
  shown = screen(config, directory, status_of(3, hosts=alone, lost=0), 100, 24)
  assert 'workers' not in shown[-1]
  nobody = dataclasses.replace(config, num_actors=0)
  waiting = status_of(3, hosts={'lab-3f': (0, 30)}, phase='act')
  shown = screen(nobody, directory, waiting, 100, 24)
  assert 'Nobody acts yet: join with' in shown[-1]


def test_troubles_leave_room_for_the_bar(config, directory):
  troubles = {'curator': 'No advice for 3 s: ' + 'UNAVAILABLE ' * 20}
  status = status_of(10, troubles=troubles)
  lines = screen(config, directory, status, 80, 12)
  assert len(lines) < 12
  assert any('1/8000 updates' in line for line in lines)
  assert 'curator waits for the teacher' in '\n'.join(lines)


def test_a_dumb_terminal_gets_a_line_a_phase(config, directory, monkeypatch):
  monkeypatch.setenv('TERM', 'dumb')
  file = io.StringIO()
  console = Console(file=file, force_terminal=True, width=80)
  with display.Display(config, directory, console) as shown:
    shown.update(None)
    for phase in ('act', 'learn', 'learn', 'evaluate', 'done'):
      shown.update(status_of(3, phase=phase))
  assert file.getvalue().splitlines() == [
    'starting the nodes',
    'cycle 3: collecting episodes 40/40 episodes',
    'cycle 3: improving the policy 1/8000 updates',
    'cycle 3: evaluating',
    'cycle 3: done',
  ]


def test_a_terminal_is_left_without_a_table(config, directory, monkeypatch):
  monkeypatch.setenv('TERM', 'xterm')
  file = io.StringIO()
  console = Console(file=file, force_terminal=True, width=80)
  with display.Display(config, directory, console) as shown:
    shown.update(status_of(3))
  # The last thing that it does is to erase what it drew.
  assert file.getvalue().endswith('\x1b[1A\x1b[2K')


def test_a_bar_in_a_pipe_is_lines():
  file = io.StringIO()
  console = Console(file=file, width=30)
  with display.progress_bar(console) as bar:
    task = bar.add_task('annotating episodes', total=3, unit='episodes')
    for count in range(4):
      bar.update(task, completed=count)
  assert file.getvalue().splitlines() == [
    'annotating episodes 0/3 episodes', 'annotating episodes 3/3 episodes',
  ]  # fmt: skip


def test_a_rate_is_told_where_it_is_known():
  assert cycles.acting_rate(RECORD) == 25_000
  # The last two episodes of a cycle that went on, in one look at the state.
  resumed = {**RECORD, 'acted_steps': 2_000, 'seconds': {'act': 0.05}}
  assert cycles.acting_rate(resumed) is None
  assert cycles.acting_rate({**RECORD, 'seconds': {}}) is None


def test_a_learning_rate_of_zero_is_not_told(config, directory):
  learner = {**RECORD['learner'], 'steps_per_second': 0.0}
  status = status_of(3, learner={**learner, 'phase': 'learn', 'end': 9})
  status['learner']['step'] = 9
  lines = screen(config, directory, status, 80, 30)
  (row,) = (line for line in lines if line.split()[:1] == ['3'])
  assert row.split()[-2:] == ['·', '·']
