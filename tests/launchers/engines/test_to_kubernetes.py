"""`launchers.submit kubernetes`, and the commands of its containers."""

import os
from pathlib import Path
import signal
import subprocess
import sys

import portpicker
import pytest
import yaml

from tests.launchers import harness
from tests.launchers.engines.cluster import wait_for
from tests.launchers.harness import ROOT


def submit(
  runs: Path, *words: str, path: str = ''
) -> 'subprocess.CompletedProcess[str]':
  command = [sys.executable, '-m', 'launchers.submit', 'kubernetes']
  return subprocess.run(
    [*command, '--runs', str(runs), '--name', 'tiny', *words],
    cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    env={**os.environ, 'PATH': path or os.environ['PATH']},
  )  # fmt: skip


def test_a_dry_run_prints_all_but_the_keys(tmp_path: Path) -> None:
  done = submit(tmp_path, '--workers', '2', '--dry-run')
  assert done.returncode == 0, done.stderr
  printed = list(yaml.safe_load_all(done.stdout))
  assert [found['kind'] for found in printed] == [
    'Service', 'StatefulSet', 'PodDisruptionBudget', 'NetworkPolicy',
    'NetworkPolicy', 'Job',
  ]  # fmt: skip
  place = tmp_path / 'tiny' / 'engine'
  assert (place / 'run.yaml').read_text() == done.stdout
  secret = place / 'keys' / 'secret.yaml'
  assert secret.stat().st_mode & 0o777 == 0o600
  token = (place / 'keys' / 'token').read_text()
  assert yaml.safe_load(secret.read_text())['stringData']['token'] == token
  assert token.strip() not in done.stdout + done.stderr


def test_kubectl_is_given_the_files(tmp_path: Path) -> None:
  kubectl = tmp_path / 'kubectl'
  kubectl.write_text(f'#!/bin/bash\necho "$@" >> {tmp_path}/asked\n')
  kubectl.chmod(0o755)
  path = f'{tmp_path}:{os.environ["PATH"]}'
  for _ in range(2):
    done = submit(tmp_path, path=path)
    assert done.returncode == 0, done.stderr
    assert 'logs -f run-tiny-' in done.stderr
  place = tmp_path / 'tiny' / 'engine'
  line = f'apply -f {place}/keys/secret.yaml -f {place}/run.yaml'
  assert (tmp_path / 'asked').read_text().splitlines() == [line, line]


def test_what_kubectl_refuses_is_said(tmp_path: Path) -> None:
  kubectl = tmp_path / 'kubectl'
  kubectl.write_text('#!/bin/bash\necho "no cluster" >&2; exit 1\n')
  kubectl.chmod(0o755)
  done = submit(tmp_path, path=f'{tmp_path}:{os.environ["PATH"]}')
  assert done.returncode == 2
  assert 'kubectl: no cluster' in done.stderr


def test_without_kubectl_nothing_is_written(tmp_path: Path) -> None:
  done = submit(tmp_path / 'runs', path='/nowhere')
  assert done.returncode == 2
  assert 'There is no kubectl here' in done.stderr
  assert not (tmp_path / 'runs').exists()


@pytest.mark.processes
@pytest.mark.long
def test_the_containers_commands_run_as_they_stand(tmp_path: Path) -> None:
  """Here, with this host's name, port and places for those of a pod."""
  words = harness.arguments(tmp_path, num_actors=0)
  done = submit(tmp_path, *words, '--workers', '1', '--dry-run')
  assert done.returncode == 0, done.stderr
  port = portpicker.pick_unused_port()
  commands = {}
  for found in yaml.safe_load_all(done.stdout):
    if found['kind'] in ('StatefulSet', 'Job'):
      (container,) = found['spec']['template']['spec']['containers']
      name = f'{found["metadata"]["name"].rpartition("-")[0]}-core'
      commands[container['name']] = [
        word.replace(f'{name}:50060', f'localhost:{port}')
        .replace('0.0.0.0:50060', f'0.0.0.0:{port}')
        .replace('/keys/', f'{tmp_path}/tiny/engine/keys/')
        for word in container['command'][1:]
      ]
  places = {'/runs': str(tmp_path / 'volume'), '/scratch': f'{tmp_path}/s'}
  with (tmp_path / 'log').open('wb') as log:
    core, worker = (
      subprocess.Popen(
        [sys.executable, *(places.get(word, word) for word in commands[name])],
        cwd=ROOT, stdout=log, stderr=log,
      )
      for name in ('core', 'worker')
    )  # fmt: skip
  try:
    output = tmp_path / 'log'
    assert worker.wait(120) == 0, output.read_text()
    wait_for(lambda: 'its volume has it' in output.read_text(), 60)
    harness.check_counts(tmp_path / 'volume' / 'tiny')
    core.send_signal(signal.SIGTERM)
    assert core.wait(10) == 0
  finally:
    for process in (core, worker):
      process.kill()
      process.wait()
