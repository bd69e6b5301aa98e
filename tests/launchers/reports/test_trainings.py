"""Reports of trainings without cycles: how far, how good, and what is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from launchers import report as report_command
from launchers.reports import report
from launchers.reports.loading import NotARunError, load_run
from launchers.runs.offline_config import OfflineConfig
from launchers.runs.online_config import OnlineConfig

METRICS = 'step,loss,steps_per_second\n100,1.5,9\n200,0.5,9\n'
EVALUATIONS = 'step,episodes,failures,return_mean,return_std\n'
RETURNS = 'episodes,actor_steps,learner_steps,return_mean,return_std,'
RETURNS += 'return_low,critic_loss,seconds\n'
TASK = 'cartpole-swingup'


def write(root: Path, config: Any, **tables: str) -> Path:
  root.mkdir()
  (root / 'config.json').write_text(json.dumps(config.to_json()))
  for name, text in tables.items():
    (root / f'{name}.csv').write_text(text)
  return root


def offline(root: Path, task: str = TASK, **tables: str) -> Path:
  config = OfflineConfig((root,), name='it', task=task, learner_steps=200)
  return write(root, config, metrics=METRICS, **tables)


def online(root: Path, **tables: str) -> Path:
  root = write(root, OnlineConfig(name='it', episodes=4), **tables)
  (root / 'episodes').mkdir()
  for index in range(2):
    (root / f'episodes/{index}.npz').touch()
  return root


def test_one_without_a_task_says_why_nothing_is_evaluated(
  tmp_path: Path,
) -> None:
  root = offline(tmp_path / 'r', task='')
  said = report.describe(load_run(root))
  nothing = 'nothing is evaluated: no --task was named'
  assert said == f'it: in progress: 200 of 200 updates done; {nothing}'
  (root / 'policy.npz').touch()
  run = load_run(root)
  assert report.describe(run) == f'it: finished; {nothing}'
  page = report.write(run).read_text()
  assert 'finished</span>' in page
  assert 'Cycle' not in page
  assert 'losses' in {path.stem for path in (root / 'report').iterdir()}


@pytest.mark.parametrize(
  ('rows', 'said'),
  [
    ('', 'nothing is evaluated: none is due yet'),
    ('100,0,2,,\n', 'nothing is evaluated: every evaluation has failed'),
    ('100,2,0,7,1\n200,1,1,9,2\n', 'return 9 ± 2 after 200 updates'),
  ],
)
def test_offline_evaluations_are_told(
  tmp_path: Path, rows: str, said: str
) -> None:
  root = offline(tmp_path / 'r', evaluation=EVALUATIONS + rows)
  assert report.describe(load_run(root)).endswith(said)
  report.write_report(root)


@pytest.mark.parametrize(
  ('rows', 'said'),
  [
    ('', 'in progress: 2 of 4 episodes done; nothing is evaluated: none is'),
    ('2,9,50,7,1,6,0.5,3\n', 'in progress: 2 of 4 episodes done; return 7 ± 1'),
    ('4,9,90,8,1,6,0.5,3\n', 'finished; return 8 ± 1 after 90 updates'),
  ],
)
def test_online_evaluations_are_told(
  tmp_path: Path, rows: str, said: str
) -> None:
  root = online(tmp_path / 'r', returns=RETURNS + rows)
  assert said in report.describe(load_run(root))
  report.write_report(root)


def test_there_is_no_report_of_demonstrations(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  tree = {'kind': 'demonstrations', 'task': TASK}
  (tmp_path / 'config.json').write_text(json.dumps(tree))
  with pytest.raises(NotARunError, match='holds demonstrations'):
    load_run(tmp_path)
  assert report_command.main([str(tmp_path)]) == 2
  assert report_command.main([str(tmp_path / 'nothing')]) == 2
  assert 'Runs here' not in capsys.readouterr().err
