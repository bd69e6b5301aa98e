"""Two copies of one job, as an engine may start them: one works at a time."""

from collections.abc import Callable, Iterator
import contextlib
from pathlib import Path
import signal
import subprocess
import sys
import time

import psutil
import pytest

from launchers.engines import worker
from launchers.hosts import stops
from launchers.runs.run_directory import RunDirectory
from tests.launchers import harness
from tests.launchers.harness import ROOT


class Job:
  """A job's process, and what it says."""

  def __init__(self, log: Path, kind: str, *words: str):
    self._log = log
    with log.open('wb') as out:
      self.process = subprocess.Popen(
        [sys.executable, '-u', '-m', f'launchers.engines.{kind}', *words],
        cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
      )  # fmt: skip

  @property
  def output(self) -> str:
    return self._log.read_text(errors='replace')

  def wait_for(self, text: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while text not in self.output:
      assert self.process.poll() is None, self.output
      assert time.monotonic() < deadline, self.output
      time.sleep(0.05)


Start = Callable[..., Job]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
  """Starts a job that does not outlive the test."""
  jobs: list[Job] = []

  def begin(kind: str, *words: str) -> Job:
    jobs.append(Job(tmp_path / f'{kind}-{len(jobs)}.log', kind, *words))
    return jobs[-1]

  yield begin
  for job in jobs:
    with contextlib.suppress(psutil.NoSuchProcess):
      for child in psutil.Process(job.process.pid).children(recursive=True):
        child.kill()
    job.process.kill()
    job.process.wait()


def test_of_two_copies_of_a_worker_one_waits(
  tmp_path: Path, start: Start
) -> None:
  run, last = tmp_path / 'run', tmp_path / 'run/cycles/001/policy.npz'
  first = start('worker', str(run), str(last), '0')
  first.wait_for('waits for it')
  other = start('worker', str(run), str(last), '1')
  other.wait_for('waits for it')
  second = start('worker', str(run), str(last), '0')
  second.wait_for('Another copy of this job is at work')
  first.process.kill()
  second.wait_for('this one goes on')
  last.parent.mkdir(parents=True)
  last.touch()
  for job in (second, other):
    assert job.process.wait(20) == 0, job.output
    assert 'The run is done' in job.output


def test_a_worker_follows_the_core_to_another_address(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  directory = RunDirectory(tmp_path / 'run')
  address = directory.root / 'engine' / 'address'
  address.parent.mkdir(parents=True)
  stop = stops.StopRequest()
  joined: list[tuple[str, subprocess.Popen[bytes]]] = []

  def join(where: str, *_: object) -> 'subprocess.Popen[bytes]':
    joined.append((where, subprocess.Popen(['sleep', '60'])))
    return joined[-1][1]

  # What happens in each of the seconds that pass.
  steps = iter(
    [
      lambda: address.write_text('one:1\n'),
      lambda: None,
      address.unlink,  # It has ended; its worker waits for it, as joined.
      lambda: address.write_text('two:2\n'),
      lambda: setattr(stop, 'signal', signal.SIGTERM),
    ]
  )
  monkeypatch.setattr(worker, '_join', join)
  monkeypatch.setattr(worker.time, 'sleep', lambda _: next(steps)())
  code = worker._act(directory, tmp_path / 'none', [], 0, stop)
  assert code == 128 + signal.SIGTERM
  assert [where for where, _ in joined] == ['one:1', 'two:2']
  assert [p.poll() for _, p in joined] == [-signal.SIGTERM] * 2


@pytest.mark.processes
@pytest.mark.long
def test_of_two_copies_of_a_core_one_waits_and_takes_over(
  tmp_path: Path, start: Start, reference: harness.Run
) -> None:
  run = tmp_path / 'tiny'
  # On this host alone, where a gateway needs no keys.
  words = [
    str(run / 'engine'), *harness.arguments(tmp_path),
    '--gateway.address', '127.0.0.1:0',
  ]  # fmt: skip
  first = start('core', *words)
  deadline = time.monotonic() + 90
  while not (run / 'cycles/001/episodes').exists():
    assert time.monotonic() < deadline, first.output
    time.sleep(0.02)
  second = start('core', *words)
  second.wait_for('Another copy of this job is at work')
  before = (run / 'config.json').read_bytes()
  first.process.kill()
  assert second.process.wait(120) == 0, second.output
  assert 'this one goes on' in second.output
  assert (run / 'config.json').read_bytes() == before
  harness.check_counts(run)
  assert harness.final_policies(run) == (
    harness.final_policies(reference.directory)
  )
