"""Runs with a gate, as programs."""

import functools
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from agents.deployed.policy import Policy
from launchers.reports.report import write_report
from launchers.runs.run_directory import RunDirectory
from tests.launchers import harness

pytestmark = pytest.mark.processes


def read(run: harness.Run, cycle: int, name: str) -> dict[str, Any]:
  path = run.directory / f'cycles/{cycle:03d}/{name}.json'
  return json.loads(path.read_text())


def actors(run: harness.Run, cycle: int) -> set[str]:
  store = RunDirectory(run.directory).store(cycle)
  return {episode.policy for episode in store}


def digests(run: harness.Run) -> list[str]:
  policies = harness.final_policies(run.directory)
  return [Policy.from_bytes(policy).digest for policy in policies]


def command(*words: Any) -> subprocess.CompletedProcess[str]:
  return subprocess.run(
    [sys.executable, '-m', *map(str, words)], cwd=harness.ROOT,
    capture_output=True, text=True, timeout=120,
  )  # fmt: skip


def test_without_a_rule_there_is_a_record_and_nothing_else(
  reference: harness.Run,
) -> None:
  for cycle in range(3):
    gate = read(reference, cycle, 'gate')
    assert (gate['rule'], gate['verdict']) == (['always'], 'passes')
    assert 'held_back' not in read(reference, cycle, 'cycle')
  assert not list(reference.directory.rglob('candidate.npz'))


def gated(run: harness.Run) -> list[Any]:
  """What the gate said, and what was published."""
  return [
    [read(run, cycle, 'gate') for cycle in range(3)],
    harness.final_policies(run.directory),
  ]


@pytest.mark.long
def test_what_cannot_be_judged_is_held_back_after_a_kill_too(
  tmp_path: Path,
) -> None:
  """So few updates settle nothing: no_worse lets nothing through."""
  options = {
    'gate__rule': ('supported', 'no_worse'), 'gate__updates': 600,
    'gate__members': 2,
  }  # fmt: skip
  first, second = tmp_path / 'first', tmp_path / 'second'
  first.mkdir()
  second.mkdir()
  with harness.launched(first, **options) as run:
    _ask(run)
    assert run.wait(300) == 0, run.output
  _check_held_back(run)
  with harness.launched(second, **options) as other:
    _ask(other)
    other.wait_for(lambda: 'cycle 1: judging' in other.output)
    other.kill('learner')
    assert other.wait() != 0
  with harness.launched(second, **options) as other:
    assert other.wait(300) == 0, other.output
  # But for when a person, if any, was asked.
  for mine, theirs in zip(gated(run)[0][1:], gated(other)[0][1:], strict=True):
    assert mine == theirs
  assert gated(run)[1] == gated(other)[1]


def _ask(run: harness.Run) -> None:
  """Approves π₀, should it be far from three noisy demonstrations."""
  path = run.directory / 'cycles/000/gate.json'
  run.wait_for(path.exists, 120)
  if json.loads(path.read_text())['verdict'].startswith('waits'):
    done = command('launchers.approve', run.directory, 0, '--by', 'Ada')
    assert done.returncode == 0, done.stderr


def _check_held_back(run: harness.Run) -> None:
  assert len(set(digests(run))) == 1
  assert actors(run, 2) == {digests(run)[0]}
  for cycle in (1, 2):
    gate, record = read(run, cycle, 'gate'), read(run, cycle, 'cycle')
    assert gate['verdict'] == 'held back'
    assert '600 updates are fewer than the 5000' in gate['reason']
    assert record['held_back'] == gate['reason']
    assert record['policy_digest'] == digests(run)[0] == gate['before']
    path = run.directory / f'cycles/{cycle:03d}/candidate.npz'
    assert Policy.from_bytes(path.read_bytes()).digest == gate['candidate']
    outside = gate['estimates']['quantities']['outside']
    assert (outside > 0.05) == ('supported: ' in gate['reason'])
  assert 'Cycle 1: its policy is held back. ' in run.output
  page = write_report(run.directory).read_text()
  assert 'held back' in page
  assert '600 updates are fewer' in page


def waits(run: harness.Run, cycle: int) -> bool:
  return f'Cycle {cycle} waits for a person' in run.output


@pytest.mark.long
def test_a_person_lets_through_and_rejects(tmp_path: Path) -> None:
  with harness.launched(tmp_path, gate__rule='person') as run:
    for cycle, decision in enumerate([[], ['--reject'], []]):
      path = run.directory / f'cycles/{cycle:03d}/gate.json'
      run.wait_for(path.exists, 120)
      run.wait_for(functools.partial(waits, run, cycle))
      done = command(
        'launchers.approve', run.directory, cycle, '--by', 'Ada', *decision
      )
      assert done.returncode == 0, done.stderr
    assert run.wait() == 0, run.output
  first, second, third = digests(run)
  assert first == second != third
  assert 'Ada rejected it' in read(run, 1, 'cycle')['held_back']
  assert read(run, 2, 'gate')['approval']['by'] == 'Ada'
  assert actors(run, 2) == {first}


@pytest.mark.long
def test_a_rollback_acts_in_the_next_cycle(tmp_path: Path) -> None:
  half = {'cycles': 1, 'actor_steps': 80, 'learner_steps': 40}
  run = harness.complete(tmp_path, **half, objective__kind='between')
  done = command('launchers.rollback', run.directory, '--to', 0, '--by', 'Ada')
  assert done.returncode == 0, done.stderr
  before = harness.final_policies(run.directory)
  longer = harness.complete(tmp_path, objective__kind='between')
  assert actors(longer, 2) == {digests(longer)[0]}
  assert harness.final_policies(longer.directory)[:2] == before
  late = command('launchers.rollback', run.directory, '--to', 0, '--by', 'Ada')
  assert late.returncode == 0  # Of cycle 3, which has not begun.
  assert json.loads(late.stdout)['cycle'] == 3
