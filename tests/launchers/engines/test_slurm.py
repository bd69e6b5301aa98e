"""What is submitted to Slurm, and when; Slurm itself is played by two scripts.

test_slurm_cluster.py has a real one.
"""

import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

from launchers.engines import following, keys, slurm
from launchers.engines.jobs import Jobs
from launchers.engines.options import Share, Submission, without_own
from launchers.hosts.stops import StopRequest
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from tests.launchers.harness import ROOT

TEXTS = {'core': '#!/bin/bash\ntrue\n', 'worker': '#!/bin/bash\nfalse\n'}


def jobs_in(runs: Path, name: str = 'tiny') -> Jobs:
  directory = RunDirectory(runs / name)
  submission = Submission(
    workers=3, core=Share(4, 8), sbatch=('partition=long', 'exclusive')
  )
  return Jobs(
    GrowingBatchConfig(name=name, cycles=1, actor_steps=2_000),
    directory,
    ('--name', name, '--task', 'a b'),
    submission,
    keys.inside(directory.root / 'engine' / 'keys'),
  )


class Played:
  """sbatch and squeue; what they were asked, and what the latter says."""

  def __init__(self, directory: Path):
    self._directory = directory
    for name, text in {
      'sbatch': f'echo "$@" >> {directory}/submitted; echo "7;cluster"',
      'squeue': f'cat {directory}/queue',
    }.items():
      path = directory / name
      path.write_text(f'#!/bin/bash\n{text}\n', encoding='utf-8')
      path.chmod(0o755)
    self.says()

  def says(self, *rows: str) -> None:
    text = ''.join(f'{row}\n' for row in rows)
    (self._directory / 'queue').write_text(text, encoding='utf-8')

  def fails(self) -> None:
    (self._directory / 'queue').unlink()

  @property
  def submitted(self) -> list[str]:
    path = self._directory / 'submitted'
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
  monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
  return Played(tmp_path)


def test_the_scripts_are_bash_and_say_what_was_asked(tmp_path: Path) -> None:
  texts = slurm.scripts(jobs_in(tmp_path), 'python -m launchers.submit slurm')
  assert set(texts) == {'core', 'worker'}
  for text in texts.values():
    subprocess.run(['bash', '-n'], input=text, text=True, check=True)
  core, worker = (
    set(re.findall('^#SBATCH --(.*)$', texts[kind], re.MULTILINE))
    for kind in ('core', 'worker')
  )
  assert {
    'requeue', 'open-mode=append', 'cpus-per-task=4', 'mem=8G',
    'partition=long', 'exclusive', 'signal=B:TERM@60',
    f'output={tmp_path}/tiny/engine/core.log',
  } <= core  # fmt: skip
  assert {
    'array=0-2', 'requeue', 'open-mode=append', 'partition=long',
    f'output={tmp_path}/tiny/engine/worker-%a.log',
  } <= worker  # fmt: skip
  assert 'array=0-2' not in core
  assert " --task 'a b' --gateway.announce " in texts['core']
  assert texts['worker'].endswith(' "$SLURM_ARRAY_TASK_ID"\n')


def test_a_run_without_workers_is_a_core() -> None:
  jobs = jobs_in(Path('/runs'))
  alone = Jobs(
    jobs.config, jobs.directory, jobs.words, Submission(workers=0), jobs.keys
  )
  assert set(slurm.scripts(alone, '')) == {'core'}


@pytest.mark.parametrize('name', ['a run', 'a%run', 'a,run', 'a"run'])
def test_names_that_slurm_misreads_are_refused(
  tmp_path: Path, name: str, played: Played
) -> None:
  with pytest.raises(ValueError, match='choose another --name'):
    slurm.check(jobs_in(tmp_path, name).place, False)


def test_labels_are_names_and_no_other_runs(tmp_path: Path) -> None:
  labels = {
    jobs_in(tmp_path / place, name).label
    for place in 'ab'
    for name in ('Walker-Run', 'walker run', 'ß', 'x' * 90)
  }
  assert len(labels) == 8
  assert all(re.fullmatch('[a-z0-9-]{1,50}', label) for label in labels)


def test_what_is_there_is_not_submitted_twice(
  tmp_path: Path, played: Played
) -> None:
  told: list[str] = []
  slurm.submit('run', tmp_path, TEXTS, told.append)
  assert played.submitted == [
    f'--parsable {tmp_path}/core.sbatch', f'--parsable {tmp_path}/worker.sbatch'
  ]  # fmt: skip
  assert told[0] == 'core: submitted as job 7.'
  played.says('run-core|8|COMPLETING|a|', 'run-worker|9_0|PENDING||')
  slurm.submit('run', tmp_path, TEXTS, told.append)
  assert played.submitted[2:] == [f'--parsable {tmp_path}/core.sbatch']
  assert told[-1] == 'worker: job 9_0 is there already.'


def test_other_options_are_refused_while_jobs_are_there(
  tmp_path: Path, played: Played
) -> None:
  slurm.submit('run', tmp_path, TEXTS, print)
  played.says('run-core|7|RUNNING|a|', 'run-worker|9_0|PENDING||')
  with pytest.raises(ValueError, match='scancel 7'):
    slurm.submit('run', tmp_path, {**TEXTS, 'core': 'other'}, print)
  assert (tmp_path / 'core.sbatch').read_text() == TEXTS['core']


def test_nothing_is_submitted_while_slurm_does_not_answer(
  tmp_path: Path, played: Played
) -> None:
  played.fails()
  with pytest.raises(slurm.UnknownError, match='squeue: '):
    slurm.submit('run', tmp_path, TEXTS, print)
  assert not played.submitted


def test_who_follows_bears_that_slurm_does_not_answer(
  tmp_path: Path, played: Played
) -> None:
  jobs, told = jobs_in(tmp_path), list[str]()
  (tmp_path / 'tiny/engine').mkdir(parents=True)
  steps = iter(
    [
      lambda: played.says(f'{jobs.label}-core|7|RUNNING|a|'),
      played.fails,
      *[lambda: None] * 30,
      lambda: played.says(
        f'{jobs.label}-core|7|RUNNING|b|',
        f'{jobs.label}-worker|8_0|RUNNING|a|',
        f'{jobs.label}-worker|8_1|PENDING||',
        f'{jobs.label}-worker|8_2|PENDING||',
      ),
      lambda: finish(jobs),
      played.says,
    ]
  )
  with StopRequest() as stop:
    code = following.follow(jobs, stop, told.append, lambda: next(steps)())
  assert code == 0
  start = 'cycle 0 of 1: 0 of 1,000 episodes'
  assert told[:2] == [
    f'core: none; workers: none; {start}',
    f'core: RUNNING a; workers: none; {start}',
  ]
  assert f'The jobs may go on; {start}' in told[2]
  assert told[3] == f'core: RUNNING b; workers: 2 PENDING, 1 RUNNING; {start}'
  assert told[-1] == 'The run is done.'


def finish(jobs: Jobs) -> None:
  for cycle in range(jobs.config.cycles + 1):
    path = jobs.directory.policy_path(cycle)
    path.parent.mkdir(parents=True)
    path.touch()


def test_a_core_that_ended_is_believed_after_a_while(
  tmp_path: Path, played: Played
) -> None:
  jobs, told = jobs_in(tmp_path), list[str]()
  jobs.place.mkdir(parents=True)
  (jobs.place / 'core.log').write_text('Refused: no.\n')
  looks: list[int] = []
  with StopRequest() as stop:
    code = following.follow(jobs, stop, told.append, lambda: looks.append(0))
  assert code == 1
  assert len(looks) > 10
  assert '  Refused: no.' in told


def test_own_options_are_no_options_of_the_run() -> None:
  words = [
    '--workers', '3', '--seed', '2', '--sbatch', 'a=b', 'exclusive', '--demo',
    '--core.cpus=2', '--dry_run', '--no-follow', '--agent', 'bc',
    '--kubernetes.storage', '3', '--runs', 'x',
  ]  # fmt: skip
  assert without_own(words) == [
    '--seed', '2', '--demo', '--agent', 'bc', '--runs', 'x',
  ]  # fmt: skip


@pytest.mark.parametrize(
  ('changes', 'said'),
  [
    ({'workers': -1}, 'workers'),
    ({'sbatch': ('--partition=x',)}, 'without dashes'),
    ({'sbatch': ('comment=a b',)}, 'blanks'),
  ],
)
def test_what_no_engine_takes_is_refused(
  changes: dict[str, object], said: str
) -> None:
  with pytest.raises(ValueError, match=said):
    Submission(**changes)  # type: ignore[arg-type]  # As it is to be.


def submit(*words: str) -> 'subprocess.CompletedProcess[str]':
  return subprocess.run(
    [sys.executable, '-m', 'launchers.submit', *words],
    cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
  )  # fmt: skip


def test_a_dry_run_writes_and_submits_nothing(
  tmp_path: Path, played: Played
) -> None:
  words = ['--runs', str(tmp_path), '--name', 'tiny', '--workers', '2']
  done = submit('slurm', *words, '--dry-run', '--task', 'cartpole-swingup')
  assert done.returncode == 0, done.stderr
  place = tmp_path / 'tiny' / 'engine'
  texts = [(place / f'{kind}.sbatch').read_text() for kind in TEXTS]
  assert done.stdout == '\n'.join([*texts, ''])
  assert '--dry-run' not in texts[0].partition('exec')[2]
  assert not played.submitted
  for path in (place / 'keys').iterdir():
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
  ('words', 'said'),
  [
    (['--seed', '-1'], '--seed'),
    (['--teacher', 'no/such'], 'no/such'),
    (['--gateway.address', '127.0.0.1:50060'], 'write 0.0.0.0'),
    (['--sbatch', '--partition=x'], '--partition'),
  ],
)
def test_what_is_refused_writes_nothing(
  tmp_path: Path, words: list[str], said: str
) -> None:
  runs = str(tmp_path / 'runs')
  done = submit('slurm', '--dry-run', '--runs', runs, *words)
  assert done.returncode == 2, done.stderr
  assert said in ' '.join(done.stderr.split())
  assert not (tmp_path / 'runs').exists()


def test_a_finished_run_is_said_to_be(tmp_path: Path) -> None:
  jobs = jobs_in(tmp_path)
  finish(jobs)
  words = ['--cycles', '1', '--actor-steps', '2000', '--name', 'tiny']
  done = submit('slurm', '--runs', str(tmp_path), *words)
  assert done.returncode == 0, done.stderr
  assert 'The run is done' in done.stderr
