"""Which evaluation is the best: the one that is so for sure."""

import math
from pathlib import Path

import numpy as np
import pytest

from agents import registry
from launchers.acting.outcomes import Failure
from launchers.acting.places import Places
from launchers.runs.online_config import OnlineConfig
from launchers.training import evaluations
from launchers.training.evaluations import OnlineEvaluations
from teachers.snapshot import Snapshot

TASK = 'pendulum-swingup'


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
  config = OnlineConfig(task=TASK)
  places = Places(TASK, None)
  networks = registry.make_networks(
    config.agent, places.description.task.spec, 0
  )

  def run(*evaluated: list) -> OnlineEvaluations:
    done = OnlineEvaluations(config, tmp_path, places, print, lambda: False)
    for returns in evaluated:
      monkeypatch.setattr(
        evaluations.rollouts, 'evaluate', lambda *_, r=returns: r
      )
      count = len(done._table.rows) + 1
      done.run(networks, {'episodes': count, 'learner_steps': 5 * count})
    return done

  return run


def best(root: Path) -> int:
  snapshot = Snapshot.from_bytes((root / 'best.npz').read_bytes())
  return snapshot.metadata['episodes']


def test_a_lucky_mean_is_not_the_best(evaluate, tmp_path: Path) -> None:
  lucky, sure = [0.0, 1000.0] * 3, [480.0, 490.0] * 3
  done = evaluate(lucky, sure, lucky)
  assert best(tmp_path) == 2
  assert done.best()['episodes'] == '2'
  low = 485 - 2 * np.std(sure, ddof=1) / math.sqrt(6)
  assert float(done.best()['return_low']) == pytest.approx(low, rel=1e-5)
  # Another start knows what there was, and repeats nothing.
  again = evaluate([470.0] * 4)
  assert best(tmp_path) == 2
  assert [row['episodes'] for row in again._table.rows] == ['1', '2', '3', '4']
  evaluate([486.0] * 4)
  assert best(tmp_path) == 5


def test_failures_count_for_nothing(evaluate, tmp_path: Path) -> None:
  failure = Failure('It diverged.')
  done = evaluate([failure] * 3, [failure, 900.0, failure])
  assert done.best() == {}
  assert not (tmp_path / 'best.npz').exists()
  assert done.last_return() == '900 ± 0'
  evaluate([failure, 1.0, 3.0])
  assert best(tmp_path) == 3


def test_seconds_count_all_starts(evaluate) -> None:
  done = evaluate([1.0, 2.0])
  before = float(done._table.rows[0]['seconds'])
  done._started -= 100
  evaluate([1.0, 2.0])  # A start of its own.
  done = evaluate()
  assert float(done._table.rows[1]['seconds']) >= before
