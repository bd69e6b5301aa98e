"""A refusal counts once, however often it is told, and at every start."""

from pathlib import Path

import pytest

from datasets.files import DamagedFileError
from launchers.nodes.conductor import Conductor
from launchers.runs.config import DemonstrationConfig, GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from tests.launchers.harness import random_policy

CONFIG = GrowingBatchConfig(
  name='run',
  cycles=1,
  actor_steps=80,
  episode_steps=20,
  learner_steps=0,
  max_refused_fraction=0.5,
  demonstrations=DemonstrationConfig(episodes=4),
)
IDENTITY = {0: ('run', 0, 0, 2), 1: ('run', 1, 0, 2)}


def start(root: Path, cycle: int) -> Conductor:
  directory = RunDirectory(root)
  if cycle:
    path = directory.policy_path(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random_policy(3).to_bytes())
  conductor = Conductor(CONFIG, directory, lambda seconds: True)
  conductor.restored()
  return conductor


@pytest.mark.parametrize('cycle', [0, 1])
def test_what_was_refused_stays_so_at_the_next_start(
  tmp_path: Path, cycle: int
) -> None:
  identity = IDENTITY[cycle]
  conductor = start(tmp_path, cycle)
  for _ in range(3):
    conductor.refused(identity, 'reward is NaN,\nso', 0)
  assert conductor.attempts(identity) == 1
  for _ in range(2):
    again = start(tmp_path, cycle)
    assert again.status()['refused'] == 1
    order = again.act_order('actor/0', 8)
    assert order is not None
    assert order['episodes'] == [(0, 0), (1, 0), (2, 1), (3, 0)]
    again.refused(identity, 'told by one who did not hear of the kill', 0)
  again.refused(identity, 'another', 1)
  assert start(tmp_path, cycle).attempts(identity) == 2


def test_the_last_refusal_is_written_too(tmp_path: Path) -> None:
  conductor = start(tmp_path, 1)
  for attempt in range(3):
    conductor.refused(IDENTITY[1], 'NaN', attempt)
  assert start(tmp_path, 1).status()['refused'] == 3


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
  start(tmp_path, 1).refused(IDENTITY[1], 'NaN', 0)
  path = tmp_path / 'cycles/001/refused.csv'
  path.write_text(path.read_text() + 'x,1,2,because\n')
  with pytest.raises(DamagedFileError, match=r'refused\.csv'):
    start(tmp_path, 1)


def test_clipped_targets_are_told_of(tmp_path: Path) -> None:
  conductor = start(tmp_path, 1)
  conductor.progress({'clipped_fraction': 0.005})
  assert conductor.status()['warnings'] == []
  for share in (0.5, 0.6):
    conductor.progress({'clipped_fraction': share})
  (warning,) = conductor.status()['warnings']
  assert '60%' in warning
  assert '--agent.vmin' in warning
