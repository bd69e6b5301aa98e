"""The one way out of a network namespace."""

import asyncio
from pathlib import Path
import signal
import subprocess
import time

import pytest

from launchers.hosts import relay
from teachers import client
from teachers.credentials import ServerKeys
from tests.launchers.hosts.alone import HERE, alone, check_possible
from tests.teachers import services
from tests.teachers.services import Doubler, serving

TOKEN = 'a-token-of-some-length'

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _possible() -> None:
  if reason := check_possible():
    pytest.skip(reason)


def wait_until_gone(path: Path) -> None:
  until = time.monotonic() + 10
  while path.exists():
    assert time.monotonic() < until, f'{path} is still there'
    time.sleep(0.05)


def test_a_service_is_reached_through_the_relay_alone() -> None:
  with (
    serving(Doubler()) as server,
    alone(server.address, UNDERSTUDY_RELAYS='{"x": "y"}') as program,
  ):
    assert program.said['namespace'] != HERE
    assert program.said['plain'] == [False]
    assert program.said['rows'] == [4_000]
    assert not program.end()  # No warning of open ports.


@pytest.mark.parametrize('name', ['IP:127.0.0.1', 'DNS:localhost', 'IP:::1'])
def test_tls_names_the_service_and_not_the_relay(name, tmp_path: Path) -> None:
  pem, key = make_pem(tmp_path, name)
  keys = ServerKeys(pem.read_bytes(), key.read_bytes(), TOKEN)
  secrets = {client.TOKEN: TOKEN, client.ROOT_CERTIFICATES: str(pem)}
  host = name.partition(':')[2].replace('::1', '[::1]')
  bound = f'{host.replace("localhost", "127.0.0.1")}:0'
  with (
    serving(Doubler(), bound, keys=keys) as server,
    alone(f'{host}:{server.port}', **secrets) as program,
  ):
    assert program.said['relays']
    assert program.said['rows'] == [4_000]


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


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, None])
def test_the_relay_ends_with_the_run(number) -> None:
  with serving(Doubler()) as server, alone(server.address) as program:
    process, path = program.relay, program.sockets
    assert path.stat().st_mode & 0o777 == 0o700
    if number:
      program.process.send_signal(number)
      program.process.wait(10)
    else:
      program.end()
    wait_until_gone(path)
    process.wait(10)


def test_a_relay_that_is_killed_ends_what_depends_on_it() -> None:
  with serving(Doubler()) as server, alone(server.address) as program:
    program.relay.kill()
    began = time.monotonic()
    assert 'The relay to it, a process' in program.ask()['error']
    assert time.monotonic() - began < 5
    program.end()
    assert not program.sockets.exists()


def test_the_next_start_clears_what_was_killed_together() -> None:
  with serving(Doubler()) as server, alone(server.address) as lives:
    with alone(server.address) as killed:
      process = killed.relay
      process.suspend()  # It has no chance to tidy up.
      killed.process.kill()
      process.kill()
      killed.process.wait(10)
    assert killed.sockets.exists()
    with alone(server.address) as program:
      assert not killed.sockets.exists()
      for one in (lives, program):  # Both of one teacher.
        assert one.sockets.exists()
        assert one.ask()['rows'] == [4_000]


def test_a_service_that_was_away_is_found_again() -> None:
  service = services.Process()
  try:
    address = service.address.removeprefix('grpc://')
    with alone(address) as program:
      service.kill()
      assert 'TeacherUnavailableError' in program.ask()['error']
      service.start()
      assert program.ask()['rows'] == [4_000]
  finally:
    service.kill()


def test_silent_connections_give_their_room_back(monkeypatch, tmp_path) -> None:
  monkeypatch.setattr(relay, '_CONNECTIONS', 4)
  monkeypatch.setattr(relay, '_FIRST_SECONDS', 0.3)

  async def say() -> bytes:
    reader, writer = await asyncio.open_unix_connection(tmp_path / '0')
    writer.write(b'hello')
    answer = await reader.read(5)
    writer.close()
    return answer

  async def body() -> None:
    echo = await asyncio.start_server(_echo, '127.0.0.1', 0)
    host, port = echo.sockets[0].getsockname()
    relaying = asyncio.ensure_future(
      relay._serve(str(tmp_path), [f'{host}:{port}'])
    )
    while not (tmp_path / '0').exists():
      await asyncio.sleep(0.01)
    silent = [
      await asyncio.open_unix_connection(tmp_path / '0') for _ in range(4)
    ]
    with pytest.raises(ConnectionResetError):
      await say()
    for reader, _ in silent:
      assert await reader.read() == b''
    assert await say() == b'hello'
    relaying.cancel()

  asyncio.run(asyncio.wait_for(body(), 20))


async def _echo(
  reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
  writer.write(await reader.read(5))


def test_a_path_too_long_for_a_socket_is_refused(monkeypatch, tmp_path) -> None:
  (deep := tmp_path / ('x' * 100)).mkdir()
  monkeypatch.setattr(relay.tempfile, 'tempdir', str(deep))
  with pytest.raises(OSError, match='can have 107: set TMPDIR to a shorter'):
    relay.start(['127.0.0.1:1'])
  assert not list(deep.iterdir())


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
