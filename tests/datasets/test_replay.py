"""Reverb's queues, with servers in processes of their own that are killed."""

import os
import subprocess
import sys

import pytest

from datasets import replay
from datasets.types import Episode
from tests.datasets.samples import assert_same, make_episode
from tests.datasets.servers import (
  free_port,
  read,
  takes,
)


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
