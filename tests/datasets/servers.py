"""A Reverb server in a process of its own, for tests to kill."""

import contextlib
import socket
import subprocess
import sys
import time

from datasets import replay
from datasets.types import Episode

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
