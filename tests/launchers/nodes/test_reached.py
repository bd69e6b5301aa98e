"""Runs whose teachers ask services, from inside of their namespaces."""

import os
from pathlib import Path
import signal
import time

import portpicker
import psutil
import pytest

from tests.launchers import counting, harness
from tests.launchers.harness import Run
from tests.launchers.hosts.alone import HERE, check_possible
from tests.launchers.serving import served

pytestmark = [pytest.mark.processes, pytest.mark.long]


@pytest.fixture(autouse=True)
def _possible() -> None:
  if reason := check_possible():
    pytest.skip(reason)


def changes(directory: Path, port: int, factory: str = '{}') -> dict:
  """Of a run that a service at the port advises."""
  return {
    'teacher': factory.format(f'grpc://127.0.0.1:{port}'),
    'demonstrations__teacher': str(
      harness.write_teacher(directory / 'teacher.npz')
    ),
    'objective__kind': 'teacher_action',
  }


def relay_of(run: Run) -> psutil.Process:
  (found,) = [
    child
    for child in psutil.Process(run.process.pid).children()
    if 'launchers.hosts.relay' in child.cmdline()
  ]
  return found


def sockets_of(relay: psutil.Process) -> Path:
  """The directory of a relay's sockets, which is its second argument."""
  words = relay.cmdline()
  return Path(words[words.index('launchers.hosts.relay') + 2])


def wait_until_gone(path: Path) -> None:
  until = time.monotonic() + 10
  while path.exists():
    assert time.monotonic() < until, f'{path} is still there'
    time.sleep(0.05)


@pytest.mark.parametrize(
  'factory',
  [
    'teachers.degraded:make?teacher={}&noise=0.1',
    'teachers.committee:make?teachers={0},{0}',
    'teachers.degraded:make?teacher=teachers.committee:make%3Fteachers%3D{}',
    f'{counting.__name__}:make_wrapped?service={{}}',
  ],
)
def test_a_service_inside_of_a_teacher_is_reached(
  tmp_path: Path, factory: str
) -> None:
  port = portpicker.pick_unused_port()
  options = changes(tmp_path, port, factory)
  with served(str(tmp_path / 'teacher.npz'), port):
    run = harness.complete(tmp_path, **options)
  assert 'open on every interface' not in run.output
  harness.check_counts(run.directory)
  assert not list(run.directory.glob('cycles/*/unadvised/*.npz'))


def test_nothing_of_the_run_listens_outside_and_a_kill_leaves_nothing(
  tmp_path: Path,
) -> None:
  port = portpicker.pick_unused_port()
  options = changes(tmp_path, port)
  with (
    served(str(tmp_path / 'teacher.npz'), port),
    harness.launched(tmp_path, **options) as run,
  ):
    run.wait_for(lambda: run.metrics(1) >= 1)
    relay = relay_of(run)
    sockets = sockets_of(relay)
    assert list(sockets.iterdir()) == [sockets / '0']
    launcher = psutil.Process(run.process.pid)
    assert os.stat(f'/proc/{relay.pid}/ns/net').st_ino == HERE
    assert not [c for c in relay.net_connections() if c.status == 'LISTEN']
    within = {launcher, *launcher.children(recursive=True)} - {relay}
    assert len(within) > len(harness.NODES)
    for process in within:
      assert os.stat(f'/proc/{process.pid}/ns/net').st_ino != HERE, process
    run.process.kill()
    relay.wait(10)
    wait_until_gone(sockets)


def test_a_relay_that_is_killed_ends_the_run_which_goes_on(
  tmp_path: Path,
) -> None:
  port = portpicker.pick_unused_port()
  options = changes(tmp_path, port, 'teachers.degraded:make?teacher={}')
  # Slow enough that there is something left to ask.
  slow = f'teachers.degraded:make?teacher={tmp_path}/teacher.npz&delay=1'
  with served(slow, port):
    with harness.launched(tmp_path, **options) as run:
      run.wait_for(lambda: run.metrics(0) >= 1)
      relay = relay_of(run)
      sockets = sockets_of(relay)
      relay.send_signal(signal.SIGKILL)
      assert run.wait(60) == 1, run.output
      assert 'The relay to it, a process of this run, has ended' in run.output
      assert not sockets.exists()
    run = harness.complete(tmp_path, **options)
  harness.check_counts(run.directory)


@pytest.mark.parametrize(
  'factory', ['{}', 'teachers.degraded:make?teacher={}&noise=0.1']
)
def test_a_service_that_never_was_ends_the_first_start(
  tmp_path: Path, factory: str
) -> None:
  port = portpicker.pick_unused_port()
  options = changes(tmp_path, port, factory)
  with harness.launched(tmp_path, **options) as run:
    assert run.wait(60) == 2, run.output
  assert 'No advice for 10.' in run.output
  assert f'grpc://127.0.0.1:{port}' in run.output


@pytest.mark.parametrize(
  'factory', ['{}', 'teachers.degraded:make?teacher={}&noise=0.1']
)
def test_a_service_that_is_away_is_waited_for_through_the_relay(
  tmp_path: Path, factory: str
) -> None:
  """Killed, away for 20 s, and back, while the run lives."""
  port = portpicker.pick_unused_port()
  options = changes(tmp_path, port, factory)
  with harness.launched(tmp_path, **options) as run:
    with served(str(tmp_path / 'teacher.npz'), port):
      run.wait_for(lambda: run.metrics(0) >= 1)
    run.wait_for(lambda: 'waits for the teacher' in run.output)
    time.sleep(20)
    with served(str(tmp_path / 'teacher.npz'), port):
      assert run.wait() == 0, run.output
  harness.check_counts(run.directory)


def test_a_run_goes_on_while_a_service_inside_of_a_teacher_is_away(
  tmp_path: Path,
) -> None:
  """What it reaches is on record, so that nobody has to answer for it."""
  port = portpicker.pick_unused_port()
  options = changes(tmp_path, port, 'teachers.degraded:make?teacher={}')
  with harness.launched(tmp_path, **options) as run:
    with served(str(tmp_path / 'teacher.npz'), port):
      run.wait_for(lambda: run.metrics(0) >= 1)
    run.process.send_signal(signal.SIGINT)
    assert run.wait(30) == 128 + signal.SIGINT, run.output
  with harness.launched(tmp_path, **options) as run:
    run.wait_for(lambda: 'waits for the teacher' in run.output)
    with served(str(tmp_path / 'teacher.npz'), port):
      assert run.wait() == 0, run.output
  harness.check_counts(run.directory)
