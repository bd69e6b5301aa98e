"""A run as jobs of a real Slurm, whose hosts die and whose jobs are ended."""

from collections.abc import Iterator
from pathlib import Path
import signal
import subprocess
import sys

import pytest

from tests.launchers import harness
from tests.launchers.engines import cluster as clusters
from tests.launchers.engines.cluster import Cluster, wait_for
from tests.launchers.harness import ROOT
from tests.launchers.test_study import WHOLE

pytestmark = [pytest.mark.processes, pytest.mark.long, clusters.needed]

# Forty steps of 30 ms: long enough to be killed amid an episode.
SLOW = {
  'task': 'tests.launchers.environments.examples:point?delay=0.03',
  'teacher': 'untrained',
  'actor_steps': 640,
  'learner_steps': 80,
}
JOBS = {
  'workers': 2, 'core.cpus': 2, 'worker.cpus': 1, 'core.memory': 1,
  'worker.memory': 1,
}  # fmt: skip


@pytest.fixture(scope='module')
def cluster() -> Iterator[Cluster]:
  with clusters.running(nodes=3) as found:
    yield found


class Submitted:
  """A `launchers.submit slurm` command."""

  def __init__(self, cluster: Cluster, runs: Path, name: str):
    self._log = runs / f'{name}.log'
    words = harness.arguments(runs, **JOBS, **SLOW, num_actors=0)
    with self._log.open('wb') as log:
      self.process = subprocess.Popen(
        [sys.executable, '-m', 'launchers.submit', 'slurm', *words],
        stdout=log, stderr=subprocess.STDOUT, cwd=ROOT,
        env={**cluster.environment, 'PYTHONPATH': str(ROOT)},
      )  # fmt: skip

  @property
  def output(self) -> str:
    return self._log.read_text(errors='replace')


def hosts(cluster: Cluster, kind: str) -> set[str]:
  """Where jobs of a kind work."""
  listed = cluster.ask('squeue', '-h', '-t', 'running', '-o', '%j %N')
  found = (line.split() for line in listed.splitlines())
  return {node for name, node in found if name.endswith(f'-{kind}')}


def test_hosts_die_and_jobs_are_ended_and_nothing_changes(
  tmp_path: Path, cluster: Cluster
) -> None:
  for name in ('calm', 'submitted'):
    (tmp_path / name).mkdir()
  calm = harness.complete(tmp_path / 'calm', **SLOW)
  runs = tmp_path / 'submitted'
  place = runs / 'tiny' / 'engine'
  first = Submitted(cluster, runs, 'first')
  wait_for((runs / 'tiny/cycles/001/episodes').exists, 120)
  (host,) = hosts(cluster, 'worker') - hosts(cluster, 'core')
  cluster.kill(host)
  cluster.ask('scancel', f'--name={job_name(cluster, "core")}')
  assert first.process.wait(60) == 1, first.output
  assert 'The same command submits it again' in first.output
  assert 'Stopped by SIGTERM' in (place / 'core.log').read_text()

  second = Submitted(cluster, runs, 'second')
  wait_for(lambda: 'there already' in second.output, 30)
  second.process.send_signal(signal.SIGINT)
  assert second.process.wait(30) == 128 + signal.SIGINT, second.output
  third = Submitted(cluster, runs, 'third')
  assert third.process.wait(180) == 0, third.output
  assert 'submitted as' not in third.output
  assert '"returns"' in third.output.splitlines()[-1]
  assert harness.final_policies(runs / 'tiny') == (
    harness.final_policies(calm.directory)
  )


def job_name(cluster: Cluster, kind: str) -> str:
  names = cluster.ask('squeue', '-h', '-o', '%j').split()
  return next(name for name in names if name.endswith(f'-{kind}'))


def test_a_study_is_an_array_of_cells(tmp_path: Path, cluster: Cluster) -> None:
  (tmp_path / 'tiny.toml').write_text(WHOLE)
  words = [
    sys.executable, '-m', 'launchers.submit_study', str(tmp_path / 'tiny.toml'),
    '--runs', str(tmp_path), '--cells', str(tmp_path / 'kept'),
    '--workers', '2', '--worker.cpus', '1', '--worker.memory', '1',
  ]  # fmt: skip

  def submit() -> 'subprocess.CompletedProcess[str]':
    return subprocess.run(
      words, cwd=ROOT, capture_output=True, text=True, check=False,
      env={**cluster.environment, 'PYTHONPATH': str(ROOT)},
    )  # fmt: skip

  done = submit()
  assert done.returncode == 0, done.stderr
  assert '2 RUNNING' in done.stderr
  assert 'The study is done' in done.stderr
  assert len(list((tmp_path / 'kept').glob('*.json'))) == 2
  again = submit()
  assert again.returncode == 0, again.stderr
  assert 'submitted as' not in again.stderr
