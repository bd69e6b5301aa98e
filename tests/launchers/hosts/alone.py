"""A program that enters a namespace and says what it finds there.

python -m tests.launchers.hosts.alone HOST:PORT ...
"""

import json
import os
import socket
import sys

import numpy as np
from rich.console import Console

from datasets import relays
from launchers.hosts import early, isolation
from teachers import client


def main() -> None:
  early.listen()
  addresses = [word for word in sys.argv[1:] if word != '--wait']
  isolation.enter(
    'tests.launchers.hosts.alone',
    False,
    Console(stderr=True, width=200),
    lambda: addresses,
  )
  said = {
    'interfaces': [name for _, name in socket.if_nameindex()],
    'namespace': os.stat('/proc/self/ns/net').st_ino,
    'relays': [relays.find(address) for address in addresses],
  }
  for address in addresses:
    with socket.socket() as plain:
      plain.settimeout(2)
      host, _, port = address.rpartition(':')
      said['plain'] = plain.connect_ex((host, int(port))) == 0
    teacher = client.connect([address], patience=5.0)
    actions = teacher.actions(np.zeros((4_000, 3), np.float32))
    said['rows'] = len(actions)
  print(json.dumps(said), flush=True)
  if '--wait' in sys.argv:
    sys.stdin.read()


if __name__ == '__main__':
  main()
