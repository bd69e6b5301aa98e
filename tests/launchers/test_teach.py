"""The command that serves a teacher, as a real process."""

import contextlib
import os
from pathlib import Path
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from teachers import client, snapshot
from tests.launchers.harness import ROOT, write_teacher

OBSERVATIONS = np.linspace(-1, 1, 35, dtype=np.float32).reshape(7, 5)


def start(*words: str) -> 'subprocess.Popen[str]':
  return subprocess.Popen(
    [sys.executable, '-m', 'launchers.teach', '--port', '0', *words],
    cwd=ROOT, env={**os.environ, 'PYTHONPATH': str(ROOT)},
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
  )  # fmt: skip


@contextlib.contextmanager
def teaching(*words: str):
  """The process, the line that it prints, and the address in it."""
  process = start(*words)
  try:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
      said.append(line)
      if match := re.match(r'(grpc://\S+) serves ', line):
        break
    else:
      pytest.fail(f'It never served: {"".join(said)}')
    yield process, line, match[1]
  finally:
    process.kill()
    process.communicate()


def refused(*words: str) -> str:
  process = start(*words)
  _, stderr = process.communicate(timeout=60)
  assert process.returncode == 2, stderr
  return ' '.join(stderr.split())


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(number) -> None:
  name = 'cartpole-swingup/expert'
  with teaching('--teacher', name) as (process, line, address):
    local = snapshot.load(name)
    assert line == f'{address} serves {name}, version {local.version}\n'
    assert address.startswith('grpc://127.0.0.1:')
    remote = client.connect([address])
    assert (remote.name, remote.version) == (name, local.version)
    np.testing.assert_array_equal(
      remote.actions(OBSERVATIONS), local.actions(OBSERVATIONS)
    )
    process.send_signal(number)
    assert process.wait(20) == 0


def test_the_task_comes_from_the_snapshot_or_the_option(tmp_path) -> None:
  path = str(write_teacher(tmp_path / 'mine.npz'))
  with teaching('--teacher', path) as (_, _, address):
    assert client.connect([address]).name == path
  words = ('--teacher', 'untrained', '--task', 'cheetah-run')
  with teaching(*words) as (_, _, address):
    assert client.connect([address]).observation_size == 17


def test_tls_and_the_token_are_read_from_files(tmp_path: Path) -> None:
  certificate, key = tmp_path / 'certificate.pem', tmp_path / 'key.pem'
  subprocess.run(
    [
      'openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
      '-subj', '/CN=teacher', '-addext', 'subjectAltName=IP:127.0.0.1',
      '-out', str(certificate), '-keyout', str(key),
    ],
    check=True, capture_output=True,
  )  # fmt: skip
  (tmp_path / 'token').write_text('a-token-of-some-length\n')
  words = (
    '--teacher', 'cartpole-swingup/expert', '--host', '0.0.0.0',
    '--tls-certificate', str(certificate), '--tls-key', str(key),
    '--token-file', str(tmp_path / 'token'),
  )  # fmt: skip
  with teaching(*words) as (_, _, address):
    remote = client.connect(
      [address.replace('0.0.0.0', '127.0.0.1')],
      token='a-token-of-some-length', root_certificates=certificate,
    )  # fmt: skip
    assert remote.actions(OBSERVATIONS).shape == (7, 1)


@pytest.mark.parametrize(
  ('words', 'message'),
  [
    (('--teacher', 'nobody'), "No teacher 'nobody'"),
    (('--teacher', 'untrained'), 'untrained names no task: give --task'),
    (('--teacher', 'a.b:c'), 'names no task: give --task'),
    (('--teacher', 'grpc://a:1'), 'is a service and names no task: give --ta'),
    (
      ('--teacher', 'cartpole-swingup/expert', '--task', 'cheetah-run'),
      'cheetah-run has (17, 6)',
    ),
    (
      ('--teacher', 'cartpole-swingup/expert', '--host', '0.0.0.0'),
      '0.0.0.0:0 is not a loopback address, and needs TLS and a token',
    ),
    (
      ('--teacher', 'cartpole-swingup/expert', '--tls-key', 'key.pem'),
      'Give --tls-certificate and --tls-key together',
    ),
    (
      ('--teacher', 'cartpole-swingup/expert', '--token-file', 'none'),
      'none does not exist. Name another path with --token-file.',
    ),
  ],
)
def test_what_it_cannot_serve_is_refused(words, message) -> None:
  assert message in refused(*words)
