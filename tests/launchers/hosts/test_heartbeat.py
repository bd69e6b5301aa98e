"""Who hangs and who does not, by a clock of the test's own."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Optional

import psutil
import pytest

from launchers.hosts import heartbeat
from launchers.hosts.heartbeat import (
  COMPUTING,
  STARTING,
  Heart,
  Pulses,
  Vitals,
  heart_path,
)

BOUND = 30.0


class Node:
  """One node and its supervisor; a second of it takes no time."""

  def __init__(self, directory: Path):
    self.now = 0.0
    self.vitals: Optional[Vitals] = Vitals(0.0, psutil.STATUS_SLEEPING)
    self.heart = Heart(heart_path(directory, 'learner/0'), lambda _: False)
    self.pulses = Pulses(
      directory,
      {'learner/0': 1},
      BOUND,
      lambda: self.now,
      lambda _: self.vitals,
    )

  def passes(
    self,
    seconds: float,
    share: float = 0.0,
    status: str = psutil.STATUS_SLEEPING,
    beats: bool = False,
  ) -> list[heartbeat.Silence]:
    """What is seen after so many seconds, with a look at each."""
    found: list[heartbeat.Silence] = []
    for _ in range(round(seconds)):
      self.now += 1
      if beats:
        self.heart(0)
      assert self.vitals is not None
      self.vitals = Vitals(self.vitals.cpu_seconds + share, status)
      found = self.pulses.look()
    return found


@pytest.fixture
def node(tmp_path: Path) -> Node:
  node = Node(tmp_path)
  assert not node.passes(30, beats=True)
  return node


def test_who_says_nothing_is_named_and_then_given_up(node: Node) -> None:
  assert not node.passes(25)
  ((name, seconds, is_hung),) = node.passes(10)
  assert (name, is_hung) == ('learner/0', False)
  assert 30 <= seconds <= 35
  (silence,) = node.passes(30)
  assert silence.is_hung


def test_who_comes_round_is_not_taken_for_it(node: Node) -> None:
  for _ in range(10):
    assert not node.passes(25)
    node.heart(0)


def test_who_goes_on_is_forgiven(node: Node) -> None:
  assert node.passes(40)
  node.heart(0)
  assert not node.passes(6)


def test_who_computes_may_take_long_but_not_for_ever(node: Node) -> None:
  """An update, a trace, an import; a twentieth of a core is enough."""
  assert not node.passes(COMPUTING * BOUND - 10, share=0.05)
  assert node.passes(20, share=0.05)
  (silence,) = node.passes(COMPUTING * BOUND, share=0.05)
  assert silence.is_hung


def test_who_has_not_begun_has_more_time(tmp_path: Path) -> None:
  node = Node(tmp_path)
  assert not node.passes(STARTING * BOUND - 10)
  assert node.passes(20)


def test_who_was_never_there_is_noticed_too(tmp_path: Path) -> None:
  node = Node(tmp_path)
  heart_path(tmp_path, 'learner/0').unlink()
  assert not node.passes(STARTING * BOUND - 10)
  assert node.passes(20)


def test_who_waits_for_a_teacher_is_not_taken_for_it(node: Node) -> None:
  with node.heart.waiting():
    assert not node.passes(1_000)
  assert not node.passes(25)
  assert node.passes(10)


def test_a_thread_that_waits_is_no_excuse_for_the_loop(node: Node) -> None:
  with node.heart.waiting():
    node.heart(0)
    assert node.passes(40)


@pytest.mark.parametrize('is_waiting', [False, True])
def test_whose_process_is_stopped_has_no_excuse(
  tmp_path: Path, is_waiting: bool
) -> None:
  node = Node(tmp_path)  # Not even that it has not begun.
  if is_waiting:
    node.heart.waiting().__enter__()
  assert node.passes(40, status=psutil.STATUS_STOPPED)


def test_a_debugger_may_take_any_time(node: Node) -> None:
  assert not node.passes(1_000, status=psutil.STATUS_TRACING_STOP)


def test_a_supervisor_that_was_stopped_itself_blames_nobody(
  node: Node,
) -> None:
  node.now += 10_000
  assert not node.pulses.look()


def test_who_has_ended_is_no_concern_of_it(node: Node) -> None:
  node.vitals = None
  node.now += 100
  assert not node.pulses.look()


@pytest.mark.parametrize('text', ['soon', '-1', '0', 'nan', 'inf'])
def test_a_bound_that_is_none_is_refused(
  text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setenv(heartbeat.SILENCE, text)
  with pytest.raises(ValueError, match=f'{heartbeat.SILENCE} is {text!r}'):
    heartbeat.bound()


def test_a_process_is_seen_from_outside() -> None:
  program = 'while True: pass'
  with subprocess.Popen([sys.executable, '-c', program]) as process:
    first = heartbeat.vitals(process.pid)
    time.sleep(1.0)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    second = heartbeat.vitals(process.pid)
    process.kill()
  assert first is not None
  assert second is not None
  assert second.cpu_seconds > first.cpu_seconds
  assert second.status == psutil.STATUS_STOPPED
  assert heartbeat.vitals(process.pid) is None
  assert heartbeat.vitals(os.getpid()) is not None
