"""A private network namespace, and the one way out of it."""

from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from teachers import client
from teachers.credentials import ServerKeys
from tests.launchers.harness import ROOT
from tests.teachers.services import Doubler, serving

TOKEN = 'a-token-of-some-length'
HERE = os.stat('/proc/self/ns/net').st_ino

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _possible() -> None:
  words = ['unshare', '--map-root-user', '--net', 'true']
  if subprocess.run(words, capture_output=True, check=False).returncode:
    pytest.skip('NOT TESTED: isolation. The kernel allows no namespace here.')


@contextlib.contextmanager
def alone(
  *words: str, **variables: str
) -> Iterator[tuple[subprocess.Popen, dict[str, Any]]]:
  process = subprocess.Popen(
    [sys.executable, '-m', 'tests.launchers.hosts.alone', *words],
    cwd=ROOT,
    env={**os.environ, 'PYTHONPATH': str(ROOT), **variables},
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )
  try:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    yield process, json.loads(line)
  finally:
    process.kill()
    process.communicate()


@pytest.mark.parametrize('value', ['', '1', '0', f'{os.getpid()} 1 2'])
def test_an_inherited_variable_says_nothing(value) -> None:
  with alone(UNDERSTUDY_ISOLATED=value) as (_, said):
    assert said['namespace'] != HERE
    assert said['interfaces'][0] == 'lo'


@pytest.mark.parametrize('value', ['', '1'])
def test_open_ports_are_told_whatever_was_inherited(value, tmp_path) -> None:
  with alone(UNDERSTUDY_ISOLATED=value, PATH=str(tmp_path)) as (process, said):
    assert said['namespace'] == HERE
    assert 'open on every interface' in process.communicate()[1]


def test_a_service_is_reached_through_the_relay_alone() -> None:
  with (
    serving(Doubler()) as server,
    alone(server.address, UNDERSTUDY_RELAYS='{"x": "y"}') as (process, said),
  ):
    assert said['namespace'] != HERE
    assert not said['plain']
    assert said['rows'] == 4_000
    assert not process.communicate()[1]  # No warning of open ports.


@pytest.mark.parametrize('name', ['IP:127.0.0.1', 'DNS:localhost'])
def test_tls_names_the_service_and_not_the_relay(name, tmp_path: Path) -> None:
  pem, key = make_pem(tmp_path, name)
  keys = ServerKeys(pem.read_bytes(), key.read_bytes(), TOKEN)
  secrets = {client.TOKEN: TOKEN, client.ROOT_CERTIFICATES: str(pem)}
  with serving(Doubler(), keys=keys) as server:
    address = f'{name.partition(":")[2]}:{server.port}'
    with alone(address, **secrets) as (_, said):
      assert said['relays'][0]
      assert said['rows'] == 4_000


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
  pem, key = make_pem(tmp_path, 'DNS:teacher.example')
  keys = ServerKeys(pem.read_bytes(), key.read_bytes(), TOKEN)
  secrets = {client.TOKEN: TOKEN, client.ROOT_CERTIFICATES: str(pem)}
  with (
    serving(Doubler(), keys=keys) as server,
    pytest.raises(AssertionError, match='TeacherUnavailableError'),
    alone(server.address, **secrets),
  ):
    pass


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_the_relay_ends_with_the_run(number) -> None:
  with serving(Doubler()) as server:
    with alone(server.address, '--wait') as (process, said):
      path = Path(said['relays'][0])
      assert path.is_socket()
      assert path.parent.stat().st_mode & 0o777 == 0o700
      process.send_signal(number)
      process.wait(10)
    until = time.monotonic() + 10
    while path.parent.exists():
      assert time.monotonic() < until
      time.sleep(0.05)


def make_pem(directory: Path, name: str) -> tuple[Path, Path]:
  pem, key = directory / 'certificate.pem', directory / 'key.pem'
  subprocess.run(
    [
      'openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
      '-subj', '/CN=teacher', '-addext', f'subjectAltName={name}',
      '-out', str(pem), '-keyout', str(key),
    ],
    check=True, capture_output=True,
  )  # fmt: skip
  return pem, key
