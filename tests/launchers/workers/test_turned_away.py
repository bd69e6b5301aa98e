"""Who cannot act for a run is told why, and its command ends."""

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import subprocess
import sys
import threading

import pytest

from launchers.environments.base import Description
from launchers.environments.suite import Environment
from launchers.gateway.server import Gateway
from launchers.workers.core import Core, TurnedAwayError
from launchers.workers.options import Keys
from teachers.credentials import ServerKeys
from tests.launchers.gateway import test_server
from tests.launchers.gateway.test_server import CONFIG, ENVIRONMENT, TOKEN
from tests.launchers.harness import ROOT

Serve = Callable[[int], tuple[str, bytes]]


@pytest.fixture
def program() -> Iterator[test_server.Program]:
  made = test_server.Program()
  yield made
  made.close()


def turned_away(
  program: test_server.Program, directory: Path, *paths: Path
) -> str:
  """What the command says, which must be refused.

  Args:
    program: that it is to join.
    directory: for its files.
    *paths: where its Python finds packages before ours.
  """
  (directory / 'token').write_text(TOKEN)
  ended = subprocess.run(
    [
      sys.executable, '-m', 'launchers.join', program.address,
      '--token-file', str(directory / 'token'), '--actors', '1',
      '--scratch', str(directory / 'scratch'),
    ],
    capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    env={**os.environ, 'PYTHONPATH': os.pathsep.join(map(str, (ROOT, *paths)))},
  )  # fmt: skip
  assert ended.returncode == 2, ended.stdout + ended.stderr
  return ended.stdout


@pytest.mark.processes
def test_a_worker_of_another_version_says_which(
  program: test_server.Program, tmp_path: Path
) -> None:
  other = tmp_path / 'other' / 'mujoco-1.0.dist-info'
  other.mkdir(parents=True)
  (other / 'METADATA').write_text('Name: mujoco\nVersion: 1.0\n')
  said = turned_away(program, tmp_path, other.parent)
  assert 'of another version (mujoco: 1.0, not ' in said
  assert 'requirements of the run' in said


@pytest.mark.processes
def test_a_worker_whose_task_is_another_one_says_so(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A task of the run's name, whose numbers are others here."""
  there = Description.of(Environment('finger-spin'))
  monkeypatch.setattr(test_server, 'ENVIRONMENT', there)
  program = test_server.Program()
  try:
    said = turned_away(program, tmp_path)
  finally:
    program.close()
  assert 'The environment cartpole-swingup is not the one of the run' in said
  assert 'Install here what the run has' in said


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
  """Serves with a certificate of so many days; gives the address and it."""
  gateways = []

  def begin(days: int) -> tuple[str, bytes]:
    key, certificate = tmp_path / 'key', tmp_path / 'certificate'
    for words in (
      f'req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout {key} '
      f'-addext subjectAltName=DNS:localhost -out {tmp_path}/request',
      f'x509 -req -in {tmp_path}/request -signkey {key} -days {days} '
      f'-copy_extensions copy -out {certificate}',
    ):
      subprocess.run(
        ['openssl', *words.split()], check=True, capture_output=True
      )
    keys = ServerKeys(certificate.read_bytes(), key.read_bytes(), TOKEN)
    gateway = Gateway(
      CONFIG, ENVIRONMENT, test_server.Conductor(), lambda: False
    )
    gateways.append(gateway)
    return f'localhost:{gateway.serve("127.0.0.1:0", keys)}', keys.certificate

  yield begin
  for gateway in gateways:
    gateway.close()


def core(address: str, certificate: bytes) -> Core:
  keys = Keys(TOKEN, certificate)
  return Core(address, keys, 'here/actor/0', threading.Event().wait, print)


def test_a_certificate_that_holds_lets_in(serve: Serve) -> None:
  assert core(*serve(2)).join()[0].run == 'run'


def test_a_certificate_that_has_expired_is_not_waited_for(serve: Serve) -> None:
  with pytest.raises(TurnedAwayError, match='look at the clock'):
    core(*serve(-1)).join()
