"""Who cannot act for a run is told why, and its command ends."""

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import subprocess
import sys
import threading

import pytest

from launchers.acting.outcomes import ActingStoppedError
from launchers.environments.base import Description
from launchers.environments.suite import Environment
from launchers.gateway.server import Gateway
from launchers.workers.core import Core, TurnedAwayError
from launchers.workers.options import Keys
from teachers.credentials import ServerKeys
from tests.launchers.gateway import program as programs
from tests.launchers.gateway.program import (
  CONFIG,
  ENVIRONMENT,
  TOKEN,
  Conductor,
  Program,
)
from tests.launchers.harness import ROOT

NO_KEYS = ServerKeys()
Serve = Callable[..., tuple[str, ServerKeys]]


@pytest.fixture
def program() -> Iterator[Program]:
  made = Program()
  yield made
  made.close()


def turned_away(program: Program, directory: Path, *paths: Path) -> str:
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
  return ended.stderr


@pytest.mark.processes
def test_a_worker_of_another_version_says_which(
  program: Program, tmp_path: Path
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
  monkeypatch.setattr(programs, 'ENVIRONMENT', there)
  program = Program()
  try:
    said = turned_away(program, tmp_path)
  finally:
    program.close()
  assert 'The environment cartpole-swingup is not the one of the run' in said
  assert 'Install here what the run has' in said


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
  """Serves with a certificate of so many days; gives the address and keys."""
  gateways = []

  def begin(days: int, is_mutual: bool = False) -> tuple[str, ServerKeys]:
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
    if is_mutual:
      keys = keys._replace(clients=keys.certificate)
    gateway = Gateway(CONFIG, ENVIRONMENT, Conductor(), lambda: False)
    gateways.append(gateway)
    return f'localhost:{gateway.serve("127.0.0.1:0", keys)}', keys

  yield begin
  for gateway in gateways:
    gateway.close()


def core(address: str, keys: ServerKeys, own: ServerKeys = NO_KEYS) -> Core:
  return Core(
    address, Keys(TOKEN, keys.certificate, own), 'here/actor/0',
    threading.Event().wait, print,
  )  # fmt: skip


def test_a_certificate_that_holds_lets_in(serve: Serve) -> None:
  assert core(*serve(2)).join()[0].run == 'run'


def test_a_certificate_that_has_expired_is_not_waited_for(serve: Serve) -> None:
  with pytest.raises(TurnedAwayError, match='look at the clock'):
    core(*serve(-1)).join()


def test_a_run_may_ask_for_a_certificate_of_the_worker(serve: Serve) -> None:
  address, keys = serve(2, is_mutual=True)
  assert core(address, keys, keys).join()[0].run == 'run'
  stop, told = threading.Event(), list[str]()

  def tell(line: str) -> None:
    told.append(line)
    stop.set()

  without = Keys(TOKEN, keys.certificate)
  with pytest.raises(ActingStoppedError):
    Core(address, without, 'here/actor/0', stop.wait, tell).join()
  assert 'give --certificate and --key' in told[0]
