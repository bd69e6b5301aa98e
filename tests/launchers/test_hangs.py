"""Nodes that hang: named, given up, and the run goes on as if they had not."""

from collections.abc import Callable
from pathlib import Path
import signal

import pytest

from launchers.hosts import heartbeat
from tests.launchers import harness
from tests.launchers.harness import Run
from tests.launchers.test_faults import SLOW, finish_and_compare

pytestmark = [pytest.mark.processes, pytest.mark.long]

MOMENTS: dict[str, Callable[[Run], object]] = {
  'actor/0': lambda run: run.node('learner'),
  'curator': lambda run: run.metrics(0) >= 1,
  'learner': lambda run: run.metrics(1) >= 3,
  'evaluator': lambda run: run.metrics(1) >= 6,
  'replay': lambda run: run.metrics(1) >= 9,  # The next cycle needs it.
  'conductor': lambda run: run.metrics(2) >= 3,
}


def test_stopped_nodes_are_named_and_lose_nothing(
  tmp_path: Path,
  tmp_path_factory: pytest.TempPathFactory,
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Each node in turn, at another moment of the same run."""
  calm = harness.complete(tmp_path_factory.mktemp('calm'), **SLOW)
  monkeypatch.setenv(heartbeat.SILENCE, '3')
  for name, moment in MOMENTS.items():
    with harness.launched(tmp_path, **SLOW) as run:
      run.wait_for(lambda: moment(run) and run.node(name))  # noqa: B023
      node = run.node(name)
      assert node is not None
      node.send_signal(signal.SIGSTOP)
      assert run.wait(60) == 1, run.output
      assert f'Node {name}' in run.output
      assert 'has said nothing for' in run.output
      assert 'it hung, and was given up' in run.output
      assert 'To go on' in run.output
      assert not run.nodes()
      assert not list((run.directory / 'logs').glob('*/hearts-*'))
  finish_and_compare(tmp_path, calm, **SLOW)


@pytest.mark.parametrize('kind', ['teacher_action', 'teacher_grad'])
def test_a_slow_teacher_is_not_taken_for_a_hang(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
  """Demonstrating, evaluated, advising the curator, in the learner's graph."""
  monkeypatch.setenv(heartbeat.SILENCE, '2')
  run = harness.complete(
    tmp_path,
    teacher='tests.launchers.sloth:make',
    teacher_nodes=0,
    objective__kind=kind,
  )
  assert 'has said nothing' not in run.output
