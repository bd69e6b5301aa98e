"""The queue of evaluations: in order, durable, and of bounded length."""

import csv
import os
from pathlib import Path
from typing import Any, Optional

import pytest

from launchers.nodes import evaluations as evaluations_lib
from launchers.nodes.evaluations import Evaluations
from launchers.runs.config import EvaluationConfig, GrowingBatchConfig
from launchers.runs.run_directory import EvaluationKey, RunDirectory
from tests.launchers.harness import random_policy

CONFIG = GrowingBatchConfig(
  evaluation=EvaluationConfig(interval=1, episodes=1, final_episodes=1)
)
POLICY = random_policy(0).to_bytes()


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
  (tmp_path / 'cycles/001').mkdir(parents=True)
  return RunDirectory(tmp_path)


def interval(step: int) -> EvaluationKey:
  return 'interval', 1, step


def order_of(
  evaluations: Evaluations, evaluator: str = 'one', has_teacher: bool = True
) -> Optional[dict[str, Any]]:
  return evaluations.order(evaluator, ('one', 'two'), has_teacher)


def keys(order: Optional[dict[str, Any]]) -> list[EvaluationKey]:
  return [one['key'] for one in (order or {'evaluations': ()})['evaluations']]


def work(evaluations: Evaluations) -> None:
  """What an evaluator does, until there is nothing left."""
  while (order := order_of(evaluations)) is not None:
    for evaluation in order['evaluations']:
      evaluations.record(evaluation['key'], [1.0])


def steps(directory: RunDirectory) -> list[tuple[int, str]]:
  with (directory.cycle(1) / 'evaluation.csv').open() as file:
    return [(int(r['step']), r['kind']) for r in csv.DictReader(file)]


def test_a_resumed_run_evaluates_by_number(directory: RunDirectory) -> None:
  before = Evaluations(CONFIG, directory)
  for step in (200, 700, 1_000, 10_000):
    before.ask(interval(step), POLICY)
  before.ask(('final', 1, 10_000), POLICY)
  before.close()
  # Killed, and a learner that goes on from an older checkpoint.
  after = Evaluations(CONFIG, directory)
  after.ask(interval(100), POLICY)
  work(after)
  assert steps(directory) == [
    (100, 'interval'),
    (200, 'interval'),
    (700, 'interval'),
    (1_000, 'interval'),
    (10_000, 'interval'),
    (10_000, 'final'),
  ]
  assert not directory.pending()


def test_each_kind_is_of_its_own_number_of_episodes(
  directory: RunDirectory,
) -> None:
  config = EvaluationConfig(interval=1, episodes=2, final_episodes=3)
  evaluations = Evaluations(GrowingBatchConfig(evaluation=config), directory)
  evaluations.ask(interval(100), POLICY)
  evaluations.ask(('final', 1, 100), POLICY)
  order = order_of(evaluations)
  assert order is not None
  found = {e['key'][0]: e['episodes'] for e in order['evaluations']}
  assert found == {'interval': 2, 'final': 3}


def test_a_row_is_durable_before_its_order_is_dropped(
  directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
  done: list[str] = []
  monkeypatch.setattr(
    os, 'fsync', lambda fd: done.append(os.readlink(f'/proc/self/fd/{fd}'))
  )
  drop = directory.drop_pending

  def dropped(key: EvaluationKey) -> None:
    done.append('dropped')
    drop(key)

  monkeypatch.setattr(directory, 'drop_pending', dropped)
  evaluations = Evaluations(CONFIG, directory)
  for step in (1, 2):
    evaluations.ask(interval(step), POLICY)
  done.clear()
  work(evaluations)
  assert [name for name in done if 'aside' not in name][-2:] == [
    str(directory.cycle(1) / 'evaluation.csv'),
    'dropped',
  ]


def test_what_piles_up_is_skipped_and_counted(
  directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(evaluations_lib, '_MOST_WAITING', 3)
  evaluations = Evaluations(CONFIG, directory)
  for step in (1, 2, 3, 4, 5):
    evaluations.ask(interval(step), POLICY)
  evaluations.ask(interval(2), POLICY)  # A learner that goes back asks again.
  evaluations.ask(interval(5), POLICY)
  evaluations.ask(('final', 1, 5), POLICY)
  assert evaluations.skipped(1) == 2
  assert Evaluations(CONFIG, directory).skipped(1) == 2
  work(evaluations)
  assert steps(directory) == [
    (1, 'interval'),
    (2, 'interval'),
    (3, 'interval'),
    (5, 'final'),
  ]
  # One that is asked again, when there is room for it.
  evaluations.ask(interval(4), POLICY)
  work(evaluations)
  assert evaluations.skipped(1) == 1
  assert Evaluations(CONFIG, directory).skipped(1) == 1


def test_no_two_evaluate_the_same(directory: RunDirectory) -> None:
  evaluations = Evaluations(CONFIG, directory)
  assert order_of(evaluations, 'two') is None  # It is there from now on.
  for step in range(4):
    evaluations.ask(interval(step), POLICY)
  first = keys(order_of(evaluations, 'one'))
  second = keys(order_of(evaluations, 'two'))
  assert first == [interval(0), interval(1)]
  assert not set(first) & set(second)
  assert keys(order_of(evaluations, 'one'))[:2] == first  # It came again.
  # The one is not heard of any more, and does not ask again.
  order = evaluations.order('two', ('two',), True)
  assert keys(order) == [interval(step) for step in range(4)]


def test_who_has_no_demonstrator_evaluates_policies(
  directory: RunDirectory,
) -> None:
  evaluations = Evaluations(CONFIG, directory)
  evaluations.ask(('teacher', 0, 0), b'')
  evaluations.ask(interval(1), POLICY)
  assert keys(order_of(evaluations, has_teacher=False)) == [interval(1)]
  assert keys(order_of(evaluations)) == [('teacher', 0, 0), interval(1)]
