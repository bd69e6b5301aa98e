"""Who means no good, from a host of its own.

python -m tests.launchers.machines.strangers flood|scan|bring|join ADDRESS ...

Each prints what it saw as one line of JSON.
"""

from concurrent import futures
import contextlib
import itertools
import json
import os
from pathlib import Path
import pickle
import socket
import ssl
import sys
import threading
import time
from typing import Any

import numpy as np

from datasets import arrays, encoding
from datasets.types import Episode
from launchers.workers.core import Core, TurnedAwayError
from launchers.workers.options import Keys
from tests.launchers.machines.hosts import NAME

_SILENT, _JOINING = 500, 200


class Trap:
  """Writes to a file when it is unpickled."""

  def __init__(self, path: str):
    self._path = path

  def __reduce__(self) -> Any:
    return os.system, (f'touch {self._path}',)


def scan(address: str) -> list[int]:
  """The TCP ports of a host that answer."""
  found = []
  for port in range(1, 65_536):
    with socket.socket() as dialled:
      dialled.settimeout(2.0)
      if dialled.connect_ex((address, port)) == 0:
        found.append(port)
  return found


def flood(address: str, port: int, trap: str) -> None:
  """Holds silent connections, and sends pickles, until it is killed.

  Prints how many it holds, how many pickles it has sent inside of TLS, and how
  often nobody was there.
  """
  context = ssl.create_default_context()
  context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
  poison = pickle.dumps(Trap(trap)) * 100
  silent: list[socket.socket] = []
  poisonous = turned_away = 0
  while True:
    try:
      while len(silent) < _SILENT:
        silent.append(socket.create_connection((address, port), 10))
        silent[-1].setblocking(False)
      for wrap in (contextlib.nullcontext, context.wrap_socket):
        plain = socket.create_connection((address, port), 10)
        with plain, wrap(plain) as sent:
          sent.sendall(poison)
      poisonous += 1
    except OSError:  # The run is not there yet, or not any more.
      turned_away += 1
    print(json.dumps([len(silent), poisonous, turned_away]), flush=True)
    time.sleep(0.5)
    silent = [one for one in silent if not _has_ended(one)]


def _has_ended(one: socket.socket) -> bool:
  try:
    is_over = one.recv(1) == b''
  except BlockingIOError:
    return False
  except OSError:
    is_over = True
  one.close()
  return is_over


def bring(core: Core, directory: Path) -> list[str]:
  """Brings what nothing should learn from; the answers, one for each.

  Args:
    core: of a run.
    directory: where the run keeps its episodes, of which one must come first.
  """
  while not (files := sorted(directory.glob('*.npz'))):
    time.sleep(0.05)
  data = files[0].read_bytes()
  content = arrays.decode(data, str(files[0]))
  episode = encoding.from_arrays(content.arrays, content.metadata)
  known = {path.stem.rpartition('-')[2] for path in files}
  number = next(n for n in itertools.count() if f'{n:06d}' not in known)
  foreign = episode.identity._replace(run='another')
  late = episode.identity._replace(cycle=9)
  missing = episode.identity._replace(episode=number)
  nan = np.full_like(episode.rewards, np.nan)
  made = [
    data,
    encoded(episode._replace(rewards=episode.rewards + 1)),
    data[:-30],
    pickle.dumps(Trap('/nowhere')),
    encoded(episode._replace(identity=foreign)),
    encoded(episode._replace(identity=late)),
    encoded(episode._replace(identity=missing, rewards=nan)),
    encoded(episode._replace(identity=missing, policy='of nobody')),
  ]
  answers = [core.deliver(one) for one in made]
  try:
    while True:
      answers.append(core.deliver(data[:-30]))
  except TurnedAwayError as error:
    return [*answers, str(error)]


def encoded(episode: Episode) -> bytes:
  return arrays.encode(*encoding.to_arrays(episode))[0]


def join(address: str, keys: Keys) -> int:
  """Many join at once, ask for orders and leave again; how many were let in."""

  def visit(number: int) -> bool:
    core = connect(address, keys, f'crowd/actor/{number}')
    try:
      core.join()
      core.act_order(f'crowd/actor/{number}', 8)
      core.leave()
    finally:
      core.close()
    return True

  with futures.ThreadPoolExecutor(_JOINING) as pool:
    return sum(pool.map(visit, range(_JOINING)))


def connect(address: str, keys: Keys, name: str) -> Core:
  return Core(address, keys, name, threading.Event().wait, lambda text: None)


def main() -> None:
  what, address, *words = sys.argv[1:]
  if what == 'scan':
    print(json.dumps(scan(address)))
  elif what == 'flood':
    flood(address, int(words[0]), words[1])
  else:
    token, certificate, port, *files = words
    keys = Keys(Path(token).read_text().strip(), Path(certificate).read_bytes())
    there = f'{NAME}:{port}'
    if what == 'join':
      print(json.dumps(join(there, keys)))
    else:
      core = connect(there, keys, 'bad/actor/0')
      core.join()
      print(json.dumps(bring(core, Path(files[0]))))


if __name__ == '__main__':
  main()
