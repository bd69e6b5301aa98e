"""Workers of other hosts, as real processes: they change only the time."""

import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
from typing import Any

import portpicker
import psutil
import pytest

from tests.launchers import harness
from tests.launchers.harness import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.long]


class Keys:
  """Of one run: files on both hosts, made as docs/machines.md says."""

  def __init__(self, directory: Path):
    text = (ROOT / 'docs' / 'machines.md').read_text(encoding='utf-8')
    (block,) = re.findall(r'```sh\n# keys\n(.*?)```', text, re.DOTALL)
    python = Path(sys.executable).parent
    subprocess.run(
      ['bash', '-ec', block], cwd=directory, check=True, capture_output=True,
      env={**os.environ, 'PATH': f'{python}:{os.environ["PATH"]}'},
    )  # fmt: skip
    self.certificate = directory / 'keys' / 'certificate.pem'
    self.key = directory / 'keys' / 'key.pem'
    self.token = directory / 'keys' / 'token'

  def of_the_run(self, port: int) -> dict[str, Any]:
    return {
      'gateway__address': f'0.0.0.0:{port}',
      'gateway__tls-certificate': self.certificate,
      'gateway__tls-key': self.key,
      'gateway__token-file': self.token,
    }

  def of_a_worker(self) -> list[str]:
    return ['--token-file', str(self.token), '--ca', str(self.certificate)]


@pytest.fixture(scope='module')
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
  return Keys(tmp_path_factory.mktemp('host'))


class Joined:
  """A `launchers.join` command."""

  def __init__(
    self, port: int, scratch: Path, *words: str, host: str = 'localhost'
  ):
    self._log = scratch.with_suffix('.log')
    with self._log.open('wb') as log:
      self.process = subprocess.Popen(
        [
          sys.executable, '-m', 'launchers.join', f'{host}:{port}',
          '--scratch', str(scratch), *words,
        ],
        stdout=log, stderr=subprocess.STDOUT, cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
      )  # fmt: skip

  @property
  def output(self) -> str:
    return self._log.read_text(errors='replace')


def status(port: int, *words: str) -> 'subprocess.CompletedProcess[str]':
  """What `launchers.status` says."""
  return subprocess.run(
    [sys.executable, '-m', 'launchers.status', f'localhost:{port}', *words],
    capture_output=True, text=True, cwd=ROOT, check=False,
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
  )  # fmt: skip


def test_a_worker_acts_and_the_run_ends_the_same(
  tmp_path: Path, keys: Keys, reference: harness.Run
) -> None:
  port = portpicker.pick_unused_port()
  worker = Joined(
    port, tmp_path / 'scratch', '--actors', '2', '--evaluators', '1',
    *keys.of_a_worker(),
  )  # fmt: skip
  run = harness.complete(tmp_path, num_actors=0, **keys.of_the_run(port))
  assert worker.process.wait(30) == 0, worker.output
  assert 'The run is done' in worker.output
  harness.check_counts(run.directory)
  assert harness.final_policies(run.directory) == harness.final_policies(
    reference.directory
  )
  assert not list((tmp_path / 'scratch').rglob('*.npz'))
  for cycle in range(3):
    record = run.directory / f'cycles/{cycle:03d}/cycle.json'
    ((host, episodes),) = json.loads(record.read_text())['acted_by'].items()
    assert host != 'this host'
    assert episodes == (2 if cycle else 3)


def test_who_has_no_keys_is_turned_away(tmp_path: Path, keys: Keys) -> None:
  port = portpicker.pick_unused_port()
  other = tmp_path / 'other'
  other.write_text('another-token-of-some-length')
  words = [*keys.of_a_worker(), '--token-file', str(other)]
  with harness.launched(tmp_path, **keys.of_the_run(port)) as run:
    worker = Joined(port, tmp_path / 'scratch', '--actors', '2', *words)
    assert worker.process.wait(60) == 2, worker.output
    reason = 'answers only workers that bear its token'
    assert worker.output.count(reason) == 1, worker.output
    assert run.process.poll() is None
    asked = status(port, *words)
    assert asked.returncode == 2, asked.stderr
    assert 'answers only workers that bear its token' in asked.stderr
    asked = status(port, *keys.of_a_worker())
    assert asked.returncode == 0, asked.stderr
    told = json.loads(asked.stdout)
    assert told['phase'] in ('restore', 'act', 'learn', 'evaluate')
    assert f'{told["run"]}: cycle {told["cycle"]} of 2' in asked.stderr
  assert status(port, *keys.of_a_worker()).returncode == 1


def test_a_worker_stops_when_it_is_told_to(tmp_path: Path, keys: Keys) -> None:
  """Here, while the run is away."""
  port = portpicker.pick_unused_port()
  worker = Joined(
    port, tmp_path / 'scratch', '--actors', '1', *keys.of_a_worker()
  )
  while 'does not answer' not in worker.output:
    assert worker.process.poll() is None, worker.output
  worker.process.send_signal(signal.SIGTERM)
  assert worker.process.wait(10) == 128 + signal.SIGTERM, worker.output
  assert 'joins again' in worker.output


# Forty steps of 30 ms: long enough to be killed amid an episode.
SLOW = {
  'task': 'tests.launchers.environments.examples:point?delay=0.03',
  'teacher': 'tests.launchers.sloth:awake',
  'actor_steps': 640,
  'learner_steps': 80,
}


def test_workers_and_the_run_die_and_nothing_changes(
  tmp_path: Path, keys: Keys
) -> None:
  for name in ('calm', 'killed'):
    (tmp_path / name).mkdir()
  calm = harness.complete(tmp_path / 'calm', **SLOW)
  port = portpicker.pick_unused_port()
  options = {**SLOW, **keys.of_the_run(port)}
  first = Joined(port, tmp_path / 'first', '--actors', '5', *keys.of_a_worker())
  second = Joined(
    port, tmp_path / 'second', '--actors', '2', *keys.of_a_worker()
  )
  with harness.launched(tmp_path / 'killed', **options) as run:
    run.wait_for((run.directory / 'cycles/001/episodes').exists)
    # All of a host, amid its episodes.
    for child in psutil.Process(first.process.pid).children():
      child.kill()
    first.process.kill()
    run.wait_for((run.directory / 'cycles/001/policy.npz').exists)
    run.process.kill()
  again = harness.complete(tmp_path / 'killed', **options)
  assert second.process.wait(60) == 0, second.output
  assert 'answers again' in second.output
  assert harness.final_policies(again.directory) == (
    harness.final_policies(calm.directory)
  )


@pytest.mark.parametrize(
  ('host', 'ca', 'said'),
  [
    ('127.0.0.1', True, 'certificate is of another name'),
    ('localhost', False, 'it may speak TLS: give --ca'),
  ],
)
def test_who_mistakes_the_keys_is_told_which(
  tmp_path: Path, keys: Keys, host: str, ca: bool, said: str
) -> None:
  port = portpicker.pick_unused_port()
  words = keys.of_a_worker() if ca else keys.of_a_worker()[:2]
  options = {'num_actors': 0, **keys.of_the_run(port)}  # It waits for one.
  with harness.launched(tmp_path, **options) as run:
    worker = Joined(port, tmp_path / 'scratch', *words, host=host)
    run.wait_for(lambda: said in worker.output)
    worker.process.terminate()
    worker.process.wait(20)
