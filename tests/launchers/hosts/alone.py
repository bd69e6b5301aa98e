"""A program that enters a namespace and says what it finds there.

python -m tests.launchers.hosts.alone HOST:PORT ...

It prints a line of JSON, and one more for each line that it reads.
"""

from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import socket
import subprocess
import sys
from typing import Any

import numpy as np
import psutil
from rich.console import Console

from datasets import relays
from launchers.hosts import early, isolation
from teachers import client
from teachers.base import Teacher
from tests.launchers.harness import ROOT

HERE = os.stat('/proc/self/ns/net').st_ino
"""The namespace of whoever imports this."""


class Alone:
  """The program, from outside.

  Attributes:
    said: its first line.
  """

  def __init__(self, process: subprocess.Popen):
    self.process = process
    self.said = self._line()

  def _line(self) -> dict[str, Any]:
    assert self.process.stdout is not None
    line = self.process.stdout.readline()
    assert line, self.process.communicate()[1]
    return json.loads(line)

  def ask(self) -> dict[str, Any]:
    """Has it ask its teachers."""
    assert self.process.stdin is not None
    self.process.stdin.write('ask\n')
    self.process.stdin.flush()
    return self._line()

  def end(self) -> str:
    """Has it end by itself; returns its standard error."""
    return self.process.communicate(timeout=30)[1]

  @property
  def sockets(self) -> Path:
    """The directory of its ways out."""
    return Path(next(iter(self.said['relays'].values()))).parent

  @property
  def relay(self) -> psutil.Process:
    (child,) = psutil.Process(self.process.pid).children()
    return child


@contextlib.contextmanager
def alone(*addresses: str, **variables: str) -> Iterator[Alone]:
  """The program while it runs."""
  process = subprocess.Popen(
    [sys.executable, '-m', __name__, *addresses],
    cwd=ROOT,
    env={**os.environ, 'PYTHONPATH': str(ROOT), **variables},
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )
  try:
    yield Alone(process)
  finally:
    process.kill()
    process.communicate()


def check_possible() -> str:
  """Why there can be no namespace here; empty: there can."""
  words = ['unshare', '--map-root-user', '--net', 'true']
  if subprocess.run(words, capture_output=True, check=False).returncode:
    return 'NOT TESTED: isolation. The kernel allows no namespace here.'
  return ''


def _dial(address: str) -> bool:
  host, _, port = address.rpartition(':')
  try:
    socket.create_connection((host.strip('[]'), int(port)), 2).close()
  except OSError:
    return False
  return True


def _ask(teacher: Teacher) -> int:
  return len(teacher.actions(np.zeros((4_000, 3), np.float32)))


def main() -> None:
  early.listen()
  addresses = sys.argv[1:]
  isolation.enter(
    'tests.launchers.hosts.alone',
    False,
    Console(stderr=True, width=200),
    lambda: addresses,
  )
  teachers = [client.connect([a], patience=5.0) for a in addresses]
  said = {
    'interfaces': [name for _, name in socket.if_nameindex()],
    'namespace': HERE,
    'relays': relays.announced(),
    'plain': [_dial(address) for address in addresses],
    'rows': [_ask(teacher) for teacher in teachers],
  }
  print(json.dumps(said), flush=True)
  for _ in sys.stdin:
    answer: dict[str, Any] = {}
    try:
      answer['rows'] = [_ask(teacher) for teacher in teachers]
    except Exception as error:  # Whichever it is, the test wants to see it.
      answer['error'] = f'{type(error).__name__}: {error}'
    print(json.dumps(answer), flush=True)


if __name__ == '__main__':
  main()
