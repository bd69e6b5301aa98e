"""Runs that begin with the cycle 0 of another."""

from pathlib import Path
import shutil

import pytest

from datasets.tasks import Task
from launchers.runs.run_directory import RunDirectory
from tests.launchers import harness

pytestmark = [pytest.mark.processes, pytest.mark.long]


def test_it_ends_as_if_it_had_computed_cycle_0_itself(
  reference: harness.Run, tmp_path: Path
) -> None:
  run = harness.complete(tmp_path, start=reference.directory)
  assert 'Cycle 0 is that of' in run.output
  assert not list((run.directory / 'demonstrations').glob('*.npz'))
  assert harness.final_policies(run.directory) == harness.final_policies(
    reference.directory
  )
  assert run.result()['returns'] == reference.result()['returns']


def test_a_start_with_other_options_is_refused(
  reference: harness.Run, tmp_path: Path
) -> None:
  words = {'start': reference.directory, 'cloning__steps': 30}
  with harness.launched(tmp_path, **words) as run:
    assert run.wait() == 2
  assert 'cloning' in run.output
  assert "'steps': 30" in run.output


def test_an_unfinished_start_is_refused(tmp_path: Path) -> None:
  with harness.launched(tmp_path, start=tmp_path / 'nothing') as run:
    assert run.wait() == 2
  assert 'no finished cycle 0' in run.output


def test_a_start_of_another_task_of_equal_widths_is_refused(
  reference: harness.Run, tmp_path: Path
) -> None:
  start = RunDirectory(tmp_path / 'start')
  shutil.copytree(reference.directory, start.root)
  policy = start.policy(0)
  assert policy is not None
  start.publish(0, policy.of(Task('cartpole-balance', 5, 1)).to_bytes())
  with harness.launched(tmp_path, start=start.root) as run:
    assert run.wait() == 2
  assert 'cartpole-balance, not cartpole-swingup' in run.output


def test_it_goes_on_from_a_later_cycle(
  reference: harness.Run, tmp_path: Path
) -> None:
  """As the other one did; or its own way, by another objective."""
  start = {'start': reference.directory, 'start_cycle': 1}
  same = harness.complete(tmp_path, **start)
  assert 'Cycles 0 to 1 are those of' in same.output
  policies = harness.final_policies(reference.directory)
  assert harness.final_policies(same.directory) == policies
  other = tmp_path / 'other'
  other.mkdir()
  own = harness.complete(other, **start, objective__kind='bc_fixed')
  found = harness.final_policies(own.directory)
  assert found[:2] == policies[:2]
  assert found[2] != policies[2]


def test_what_a_later_cycle_depends_on(
  reference: harness.Run, tmp_path: Path
) -> None:
  start = {'start': reference.directory, 'start_cycle': 1}
  for changes, said in (
    ({'learner_steps': 100}, 'learner_steps a cycle: 40 there, 50 here'),
    ({'start_cycle': 2}, 'of which none is left'),
    ({'start_cycle': 7}, 'no finished cycle 7'),
    ({'start': None}, 'give both'),
    ({'objective__kind': 'teacher_action'}, 'advice on its episodes'),
  ):
    with harness.launched(tmp_path, **{**start, **changes}) as run:
      assert run.wait() == 2, changes
    assert said in run.output
