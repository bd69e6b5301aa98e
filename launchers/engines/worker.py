"""A worker's job: python -m launchers.engines.worker RUN POLICY OPTIONS NUMBER.

Joins the run wherever its core is: it reads the address that the core has
written to the run directory, and again when the core is started elsewhere.
"""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Optional

from launchers.engines import generations, jobs
from launchers.hosts import stops
from launchers.runs.run_directory import RunDirectory

_LOOK_SECONDS = 1.0
_SIGNALLED = 128

_Child = Optional['subprocess.Popen[bytes]']


def main() -> int:
  """The job; returns its exit code."""
  root, last_policy, *words, number = sys.argv[1:]
  directory = RunDirectory(Path(root))
  place = jobs.engine_directory(directory)
  lock = generations.hold(place / f'worker-{number}.lock')
  words += ['--scratch', str(place / 'scratch' / number)]
  with stops.StopRequest() as stop:
    return _act(directory, Path(last_policy), words, lock, stop)


def _act(
  directory: RunDirectory,
  last_policy: Path,
  words: list[str],
  lock: int,
  stop: stops.StopRequest,
) -> int:
  """Joins, and joins again elsewhere, until the run is done."""
  child: _Child = None
  joined = ''
  while True:
    address = _read(jobs.engine_directory(directory) / 'address')
    is_done = last_policy.exists() and not directory.is_live
    if stop.signal or is_done or address not in ('', joined):
      _end(child)
      child = None
    if stop.signal:
      return _SIGNALLED + stop.signal
    if is_done:
      print('The run is done.', flush=True)
      return 0
    if child is None and address:
      child, joined = _join(address, words, lock), address
    code = None if child is None else child.poll()
    if code is not None:
      return code if code >= 0 else _SIGNALLED - code
    if child is None and not joined:
      joined = '-'
      print('The core is not up yet; this worker waits for it.', flush=True)
    time.sleep(_LOOK_SECONDS)


def _read(path: Path) -> str:
  try:
    return path.read_text(encoding='utf-8').strip()
  except FileNotFoundError:
    return ''


def _join(
  address: str, words: list[str], lock: int
) -> 'subprocess.Popen[bytes]':
  return subprocess.Popen(
    [sys.executable, '-m', 'launchers.join', address, *words],
    stdin=subprocess.DEVNULL,
    # Should this process be killed alone, the other copy waits all the same.
    pass_fds=(lock,),
    env={**os.environ},
  )


def _end(child: _Child) -> None:
  if child is not None:
    child.send_signal(signal.SIGTERM)
    child.wait()  # It ends itself, within ten seconds.


if __name__ == '__main__':
  sys.exit(main())
