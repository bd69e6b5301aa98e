"""Data that are left out: who may decide, when, and what is kept of it."""

import json
from pathlib import Path
import shutil

import pytest

from datasets.files import DamagedFileError
from launchers.runs import exclusions
from launchers.runs.run_directory import RunDirectory
from teachers import untrained
from tests.launchers import harness

CONFIG = {
  'task': 'x', 'cycles': 3, 'episode_steps': 10, 'actor_steps': 90,
  'demonstrations': {'episodes': 2},
}  # fmt: skip
WHO = ('Ada', 'the sensor drifted')


def at(root: Path, cycle: int) -> RunDirectory:
  """A run of which that cycle is under way."""
  directory = RunDirectory(root / 'run')
  for k in range(cycle):
    directory.cycle(k).mkdir(parents=True)
    directory.publish(k, untrained.make(2, 1, k, (4,)).to_bytes())
  directory.config.write_text(json.dumps(CONFIG))
  return directory


def test_the_last_decision_holds(tmp_path: Path) -> None:
  run = at(tmp_path, 3)
  assert exclusions.of(run) == frozenset()
  assert exclusions.decide(run, 1, True, *WHO) == 3
  exclusions.decide(run, 2, True, *WHO)
  exclusions.decide(run, 1, False, *WHO)
  assert exclusions.of(run) == {2}
  lines = run.exclusions.read_text().splitlines()[1:]
  assert [line.split(',')[1:6] for line in lines] == [
    ['1', 'excluded', '3', *WHO],
    ['2', 'excluded', '3', *WHO],
    ['1', 'included', '3', *WHO],
  ]


@pytest.mark.parametrize(
  ('cycle', 'is_out', 'who', 'said'),
  [
    (0, True, WHO, 'those that can are 1 to 2'),
    (3, True, WHO, 'those that can are 1 to 2'),
    (1, False, WHO, 'is included already'),
    (1, True, ('', 'x'), 'Say who decides'),
    (1, True, ('x', ''), 'Say who decides'),
  ],
)
def test_what_cannot_be_decided(
  tmp_path: Path, cycle: int, is_out: bool, who: tuple[str, str], said: str
) -> None:
  run = at(tmp_path, 3)
  with pytest.raises(ValueError, match=said):
    exclusions.decide(run, cycle, is_out, *who)
  assert not run.exclusions.exists()


def test_when_it_cannot_be_decided(tmp_path: Path) -> None:
  run = at(tmp_path, 3)
  batch = run.cycle(3) / 'batch.json'
  run.write_json(batch, {'episodes': 1, 'steps': 1, 'digest': 'x'})
  with pytest.raises(ValueError, match='is being learned'):
    exclusions.decide(run, 1, True, *WHO)
  run.publish(3, untrained.make(2, 1, 3, (4,)).to_bytes())
  with pytest.raises(ValueError, match='is done'):
    exclusions.decide(run, 1, True, *WHO)


def test_damage_is_said(tmp_path: Path) -> None:
  run = at(tmp_path, 3)
  exclusions.decide(run, 1, True, *WHO)
  text = run.exclusions.read_text()
  run.exclusions.write_text(text.replace('excluded', 'eaten'))
  with pytest.raises(DamagedFileError, match='is no decision'):
    exclusions.of(run)


@pytest.mark.long
@pytest.mark.processes
def test_a_cycle_is_learned_without_it(tmp_path: Path) -> None:
  """And so it is after a kill amid it; with it, the policy is another one."""
  one = {'cycles': 1, 'actor_steps': 80, 'learner_steps': 40}
  first = harness.complete(tmp_path, **one)
  harness.complete(tmp_path)
  with_it = harness.final_policies(first.directory)
  run = RunDirectory(first.directory)
  results = []
  for is_killed in (False, True):
    for name in ('policy.npz', 'batch.json', 'cycle.json', 'metrics.csv'):
      (run.cycle(2) / name).unlink(missing_ok=True)
    shutil.rmtree(run.learner(2))
    if not is_killed:
      exclusions.decide(run, 1, True, *WHO)
    if is_killed:
      with harness.launched(tmp_path) as launched:
        launched.wait_for(lambda: launched.metrics(2))
        launched.process.kill()
        launched.process.wait()
    harness.complete(tmp_path)
    results.append(harness.final_policies(run.root))
    record = run.read_json(run.cycle(2) / 'cycle.json') or {}
    assert record['learned_from'] == [2]
  assert results[0] == results[1]
  assert results[0][:2] == with_it[:2]
  assert results[0][2] != with_it[2]
