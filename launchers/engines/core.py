"""The core's job: python -m launchers.engines.core DIRECTORY OPTIONS.

Waits while another copy of it is at work, then becomes the command of the run.
"""

import os
from pathlib import Path
import socket
import sys

from launchers.engines import generations, jobs


def main() -> None:
  """Becomes `launchers.growing_batch`, with the lock held until its end."""
  place, *words = sys.argv[1:]
  generations.hold(Path(place) / 'core.lock')
  # An address of the copy before: somebody else may listen there by now.
  (Path(place) / 'address').unlink(missing_ok=True)
  if not jobs.names_address(words):
    words += [jobs.ADDRESS, f'0.0.0.0:{_free_port()}']
  command = [sys.executable, '-m', 'launchers.growing_batch', *words]
  sys.stdout.flush()
  os.execv(sys.executable, command)


def _free_port() -> int:
  """One of this host: cores of other runs may be on it, too."""
  with socket.socket() as probe:
    probe.bind(('', 0))
    return probe.getsockname()[1]


if __name__ == '__main__':
  main()
