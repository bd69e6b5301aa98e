"""Reverb's queues, with servers in processes of their own that are killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from datasets import replay
from datasets.types import Episode
from tests.datasets.samples import assert_same, make_episode

SERVER = """
import sys, time
from datasets import replay
server = replay.make_server(int(sys.argv[1]), sys.argv[2])
print('up', flush=True)
time.sleep(120)
"""


def free_port():
  with socket.socket() as probe:
    probe.bind(('127.0.0.1', 0))
    return probe.getsockname()[1]


class Server:
  """A server in a process of its own."""

  def __init__(self, port=None, incarnation='first'):
    self.port = port or free_port()
    self.incarnation = incarnation
    self.process = subprocess.Popen(
      [sys.executable, '-c', SERVER, str(self.port), incarnation],
      stdout=subprocess.PIPE,
      stderr=subprocess.DEVNULL,
    )
    assert self.process.stdout is not None
    assert self.process.stdout.readline() == b'up\n'

  @property
  def address(self):
    return f'localhost:{self.port}'

  def writer(self, table='replay', **options):
    return replay.EpisodeWriter(
      self.address, table, self.incarnation, **options
    )

  def reader(self, table='replay', **options):
    return replay.EpisodeReader(
      self.address, table, self.incarnation, **options
    )

  def kill(self):
    self.process.kill()
    self.process.wait()
    assert self.process.stdout is not None
    self.process.stdout.close()


@pytest.fixture(scope='module')
def shared():
  """A server that no test kills; each takes out what it put in."""
  server = Server()
  yield server
  server.kill()


@pytest.fixture
def mortal():
  server = Server()
  yield server
  server.kill()


def read(reader, number, seconds=10.0):
  episodes: list[Episode] = []
  deadline = time.monotonic() + seconds
  while len(episodes) < number and time.monotonic() < deadline:
    episodes += reader.read(number - len(episodes))
  return episodes


@contextlib.contextmanager
def takes(at_most):
  started = time.monotonic()
  yield
  assert time.monotonic() - started < at_most


def test_episodes_arrive_in_order_and_once(shared):
  written = [
    make_episode(0),
    make_episode(1, length=1),
    make_episode(2, length=300, with_advice=True),
    make_episode(3, terminates=True),
  ]
  writer = shared.writer()
  for episode in written:
    writer.write(episode)
  reader = shared.reader()
  for got, episode in zip(read(reader, 4), written, strict=True):
    assert_same(got, episode)
  assert reader.read(1) == []
  assert shared.reader().read(1) == []


def test_tables_are_apart(shared):
  shared.writer('collected').write(make_episode(5))
  assert shared.reader('replay').read(10) == []
  (got,) = read(shared.reader('collected'), 1)
  assert_same(got, make_episode(5))


def test_at_most_so_many(shared):
  writer, reader = shared.writer(), shared.reader()
  for index in range(7):
    writer.write(make_episode(index))
  sizes: list[int] = []
  got: list[Episode] = []
  while len(got) < 7:
    episodes = reader.read(3)
    sizes.append(len(episodes))
    got += episodes
  assert sizes == [3, 3, 1]
  assert [e.identity.episode for e in got] == list(range(7))


def test_many_writers(shared):
  writers = [shared.writer('collected') for _ in range(3)]
  for index in range(60):
    writers[index % 3].write(make_episode(index))
  got = read(shared.reader('collected'), 60)
  assert [e.identity.episode for e in got] == list(range(60))


def test_an_empty_table_does_not_block(shared):
  reader = shared.reader()
  reader.read(1)
  with takes(1.0):
    assert reader.read(100) == []


def test_a_big_episode(shared):
  big = make_episode(0, length=100_000)
  shared.writer().write(big)
  (got,) = read(shared.reader(), 1)
  assert_same(got, big)


def test_too_big_an_episode(shared, monkeypatch):
  monkeypatch.setattr(replay, '_MAX_BYTES', 1000)
  with pytest.raises(ValueError, match='at most 1,000 can be sent'):
    shared.writer().write(make_episode())


@pytest.mark.parametrize('name', ['', 'incarnation:first', 'colected'])
def test_an_unknown_table(name):
  for kind in (replay.EpisodeReader, replay.EpisodeWriter):
    with pytest.raises(ValueError, match='No table'):
      kind('localhost:1', name, 'first')


# --- Servers that are absent, wrong, dead or silent. ---


def test_another_incarnation(shared):
  args = shared.address, 'replay', 'second'
  with pytest.raises(replay.ReplayLostError, match=r'second.*now, first'):
    replay.EpisodeReader(*args).read(1)
  with pytest.raises(replay.ReplayLostError, match=r'second.*now, first'):
    replay.EpisodeWriter(*args).write(make_episode())
  assert shared.reader().read(1) == []


def test_an_absent_server():
  args = f'localhost:{free_port()}', 'replay', 'first'
  reader = replay.EpisodeReader(*args, patience=0.5)
  with takes(0.5):
    assert reader.read(1) == []
  time.sleep(0.6)
  with takes(1.0), pytest.raises(replay.ReplayLostError, match='nothing list'):
    reader.read(1)
  with takes(2.0), pytest.raises(replay.ReplayLostError, match='nothing list'):
    replay.EpisodeWriter(*args, patience=0.5).write(make_episode())


def test_a_server_that_starts_late():
  port = free_port()
  args = f'localhost:{port}', 'replay', 'first'
  reader, writer = replay.EpisodeReader(*args), replay.EpisodeWriter(*args)
  assert reader.read(1) == []
  server = Server(port)
  try:
    writer.write(make_episode())
    assert len(read(reader, 1)) == 1
  finally:
    server.kill()


def test_a_killed_server(mortal):
  writer, reader = mortal.writer(), mortal.reader()
  writer.write(make_episode(0))
  assert len(read(reader, 1)) == 1
  mortal.kill()
  for _ in range(2):
    with takes(3.0), pytest.raises(replay.ReplayLostError, match='Start the'):
      writer.write(make_episode(1))
    with takes(3.0), pytest.raises(replay.ReplayLostError, match='Start the'):
      reader.read(1)


def test_a_server_that_came_back_empty(mortal):
  writer, reader = mortal.writer(), mortal.reader()
  writer.write(make_episode(0))
  assert len(read(reader, 1)) == 1
  mortal.kill()
  second = Server(mortal.port, 'second')
  try:
    with takes(4.0), pytest.raises(replay.ReplayLostError):
      writer.write(make_episode(1))
    with takes(4.0), pytest.raises(replay.ReplayLostError):
      reader.read(1)
  finally:
    second.kill()


def test_a_silent_server(mortal):
  writer, reader = mortal.writer(), mortal.reader()
  writer.write(make_episode(0))
  mortal.process.send_signal(signal.SIGSTOP)
  with takes(2.0):
    assert reader.read(1) == []
  with takes(9.0), pytest.raises(replay.ReplayLostError, match='not answered'):
    writer.write(make_episode(1))
  mortal.process.send_signal(signal.SIGCONT)
  # Nothing was lost of what had been confirmed.
  got = read(mortal.reader(), 1)
  assert got[0].identity == make_episode(0).identity


STOPPED = """
import signal, sys, time
from datasets import replay
from tests.datasets.samples import make_episode
def stop(*_):
  print(time.monotonic(), flush=True)
  sys.exit(7)
signal.signal(signal.SIGTERM, stop)
action, address = sys.argv[1:]
writer = replay.EpisodeWriter(address, 'replay', 'first')
reader = replay.EpisodeReader(address, 'collected', 'first')
writer.write(make_episode(0))
reader.read(1)
print('ready', flush=True)
sys.stdin.readline()
while True:
  if action == 'write':
    writer.write(make_episode(1))
  else:
    reader.read(1)
"""


@pytest.mark.parametrize('action', ['write', 'read'])
def test_a_stop_is_heard_while_a_server_is_silent(mortal, action):
  command = [sys.executable, '-c', STOPPED, action, mortal.address]
  pipe = subprocess.PIPE
  with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
      assert process.stdout.readline() == b'ready\n'
      mortal.process.send_signal(signal.SIGSTOP)
      process.stdin.write(b'\n')
      process.stdin.flush()
      time.sleep(0.7)
      asked = time.monotonic()
      process.terminate()
      heard = float(process.stdout.readline())
      assert heard - asked < 0.5
      # Reverb's call is waited for; a handler that raises does no harm.
      assert process.wait(3) == 7
    finally:
      process.kill()


def test_one_server_a_port(shared):
  with pytest.raises(replay.PortInUseError, match=str(shared.process.pid)):
    replay.make_server(shared.port, 'second')
  with pytest.raises(replay.PortInUseError, match=str(shared.port)):
    replay.check_port(shared.port)


def test_a_foreign_reverb_server_on_the_port():
  foreign = replay.reverb.Server([replay.reverb.Table.queue('q', 1)], port=None)
  with pytest.raises(replay.PortInUseError, match='no part of this'):
    replay.make_server(foreign.port, 'first')
  with pytest.raises(replay.ReplayLostError, match='a foreign one'):
    replay.EpisodeReader(f'localhost:{foreign.port}', 'replay', 'first').read(1)
  foreign.stop()


def test_a_server_in_this_process_and_again():
  port = free_port()
  for incarnation in ('first', 'second'):
    server = replay.make_server(port, incarnation)
    assert server.port == port
    args = f'localhost:{port}', 'replay', incarnation
    replay.EpisodeWriter(*args).write(make_episode(3))
    (got,) = read(replay.EpisodeReader(*args), 1)
    assert_same(got, make_episode(3))
    server.stop()
    server.stop()


def test_a_server_leaves_no_directory(tmp_path):
  code = f"""
from datasets import replay
replay.make_server({free_port()}, 'first').stop()
"""
  environment = {**os.environ, 'TMPDIR': str(tmp_path)}
  subprocess.run([sys.executable, '-c', code], check=True, env=environment)
  assert list(tmp_path.iterdir()) == []
