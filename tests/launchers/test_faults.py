"""What a run survives: every test ends with the weights of a calm one."""

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
import signal
import socket
import subprocess
from typing import Any

import psutil
import pytest

from datasets import replay
from tests.launchers import harness
from tests.launchers.harness import Run

pytestmark = [pytest.mark.processes, pytest.mark.long]

# Long enough to be hit in the middle of a cycle: 15 reports in each.
SLOW = {
  'learner_steps': 3_000,
  'evaluation__interval': 100,
  'checkpoint_interval': 100,
}


def finish_and_compare(runs: Path, reference: Run, **changes: Any) -> None:
  """The same command again ends as if nothing had happened."""
  run = harness.complete(runs, **changes)
  harness.check_counts(run.directory)
  assert harness.final_policies(run.directory) == harness.final_policies(
    reference.directory
  )


@pytest.fixture(scope='module')
def slow_reference(tmp_path_factory: pytest.TempPathFactory) -> Run:
  return harness.complete(tmp_path_factory.mktemp('slow'), **SLOW)


def test_killed_nodes_are_named_and_lose_nothing(
  tmp_path: Path, slow_reference: Run
) -> None:
  """Each node in turn, at another moment of the same run."""
  moments = {
    'actor/0': lambda run: run.node('learner'),
    'curator': lambda run: run.metrics(0) >= 1,
    'learner': lambda run: run.metrics(1) >= 3,
    'evaluator': lambda run: run.metrics(1) >= 6,
    'conductor': lambda run: run.metrics(1) >= 9,
    'replay': lambda run: run.metrics(2) >= 3,
  }
  for name, moment in moments.items():
    with harness.launched(tmp_path, **SLOW) as run:
      run.wait_for(lambda: moment(run) and run.node(name))  # noqa: B023
      run.kill(name)
      assert run.wait(60) == 1, run.output
      assert f'Node {name}' in run.output
      assert 'SIGKILL' in run.output
      assert 'To go on' in run.output
      assert not run.nodes()
  finish_and_compare(tmp_path, slow_reference, **SLOW)


def test_a_killed_launcher_leaves_no_node(
  tmp_path: Path, slow_reference: Run
) -> None:
  with harness.launched(tmp_path, **SLOW) as run:
    run.wait_for(lambda: run.metrics(1) >= 5)
    nodes = run.nodes()
    assert len(nodes) == len(harness.NODES)
    run.process.kill()
    _, alive = psutil.wait_procs(nodes, timeout=15)
    assert not alive
  finish_and_compare(tmp_path, slow_reference, **SLOW)


def test_signals_stop_it_within_ten_seconds(
  tmp_path: Path, slow_reference: Run
) -> None:
  moments = [
    (signal.SIGINT, lambda run: run.node('learner')),
    (signal.SIGTERM, lambda run: run.metrics(0) >= 1),
    (signal.SIGINT, lambda run: run.metrics(1) >= 3),
    (signal.SIGTERM, lambda run: run.metrics(2) >= 3),
  ]
  for number, moment in moments:
    with harness.launched(tmp_path, **SLOW) as run:
      run.wait_for(lambda: moment(run))  # noqa: B023
      nodes = run.nodes()
      run.process.send_signal(number)
      assert run.wait(10) == 128 + number, run.output
      assert f'Stopped by {number.name}' in run.output
      assert 'python -m launchers.growing_batch' in run.output
      assert not any(node.is_running() for node in nodes)
  finish_and_compare(tmp_path, slow_reference, **SLOW)


def test_a_second_launch_is_refused_and_harms_no_one(
  tmp_path: Path, slow_reference: Run
) -> None:
  with harness.launched(tmp_path, **SLOW) as run:
    run.wait_for(lambda: run.metrics(0) >= 1)
    second = Run(tmp_path, harness.arguments(tmp_path, **SLOW))
    assert second.wait(60) == 2
    assert str(run.process.pid) in second.output
    assert run.wait() == 0, run.output
  assert harness.final_policies(run.directory) == harness.final_policies(
    slow_reference.directory
  )
  other = Run(tmp_path, harness.arguments(tmp_path, seed=1, **SLOW))
  assert other.wait(10) == 2
  assert 'seed: 0 there, 1 here' in other.output


def free_port() -> int:
  with socket.socket() as probe:
    probe.bind(('', 0))
    return probe.getsockname()[1]


@contextlib.contextmanager
def listener(port: int) -> Iterator[None]:
  with socket.socket() as server:
    server.bind(('', port))
    server.listen()
    yield


@contextlib.contextmanager
def reverb_server(port: int) -> Iterator[None]:
  server = replay.make_server(port, 'other')
  yield
  server.stop()


@pytest.mark.parametrize('holder', [listener, reverb_server])
@pytest.mark.parametrize('offset', [0, 1])
def test_a_port_in_use_is_refused(
  tmp_path: Path, holder: Any, offset: int
) -> None:
  port = free_port()
  with holder(port + offset):
    run = Run(tmp_path, harness.arguments(tmp_path, port=port))
    assert run.wait(60) == 2, run.output
    assert str(port + offset) in run.output


def stopped_run(runs: Path) -> Run:
  """A run that was stopped in its second cycle."""
  with harness.launched(runs, **SLOW) as run:
    run.wait_for(lambda: run.metrics(2) >= 5)
    run.process.send_signal(signal.SIGTERM)
    run.wait(15)
  return run


def tear(path: Path) -> None:
  path.write_bytes(path.read_bytes()[:-40])


def alter(path: Path) -> None:
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 1
  path.write_bytes(data)


def empty(path: Path) -> None:
  path.write_bytes(b'')


def test_damaged_files_are_named_and_made_again(
  tmp_path: Path, slow_reference: Run
) -> None:
  run = stopped_run(tmp_path)
  first = sorted((run.directory / 'cycles/001/episodes').glob('*.npz'))
  second = sorted((run.directory / 'cycles/002/episodes').glob('*.npz'))
  tear(first[0])
  alter(first[1])
  empty(second[0])
  second[1].unlink()
  checkpoints = sorted((run.directory / 'cycles/002/learner').glob('step_*'))
  alter(next(checkpoints[-1].glob('*.data*')))
  finish_and_compare(tmp_path, slow_reference, **SLOW)
  logs = (run.directory / 'logs/002').rglob('*')
  said = '\n'.join(p.read_text() for p in logs if p.is_file())
  for path in (first[0], first[1], second[0]):
    assert path.name in said
  assert checkpoints[-1].name in said
  assert not list((run.directory / 'logs').rglob('*Traceback*'))


def test_a_damaged_policy_is_published_again(
  tmp_path: Path, slow_reference: Run
) -> None:
  run = stopped_run(tmp_path)
  empty(run.directory / 'cycles/001/policy.npz')
  finish_and_compare(tmp_path, slow_reference, **SLOW)
  assert (run.directory / 'cycles/001/policy.damaged').exists()


def test_a_missing_last_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
  run = stopped_run(tmp_path)
  for cycle in (1, 2):
    learner = run.directory / f'cycles/00{cycle}/learner'
    learner.rename(learner.with_name('elsewhere'))
  with harness.launched(tmp_path, **SLOW) as again:
    assert again.wait(60) == 1
  assert 'cycles/001/learner holds no whole checkpoint' in again.output


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
  """A file system of its own, which the test may fill."""
  disk = tmp_path / 'disk'
  disk.mkdir()
  mount = ['mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', str(disk)]
  if os.geteuid() or subprocess.run(mount, check=False).returncode:
    pytest.skip('mounting a small file system takes root')
  yield disk
  subprocess.run(['umount', '-l', str(disk)], check=True)


@pytest.mark.parametrize('cycle', [0, 1])
def test_a_full_disk_has_a_name_and_an_end(
  small_disk: Path, slow_reference: Run, cycle: int
) -> None:
  filler = small_disk / 'filler'
  with harness.launched(small_disk, **SLOW) as run:
    run.wait_for(lambda: run.metrics(cycle) >= 1)
    with contextlib.suppress(OSError), filler.open('wb', buffering=0) as file:
      while True:
        file.write(bytes(1 << 16))
    assert run.wait(60) == 1, run.output
  said = ' '.join(run.output.split())
  assert 'OutOfSpaceError' in said or 'No space' in said
  filler.unlink()
  leftovers = [p for p in run.directory.rglob('*') if 'aside' in p.name]
  finish_and_compare(small_disk, slow_reference, **SLOW)
  assert not [p for p in leftovers if p.exists()]
