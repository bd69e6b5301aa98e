"""The core's container: python -m launchers.engines.pod OPTIONS.

Runs the command of the run and stays when it is done, for Kubernetes would
start again whatever ends.
"""

import subprocess
import sys
import time

from launchers.hosts import stops

_LOOK_SECONDS = 0.2
_SIGNALLED = 128


def main() -> int:
  """The container; returns its exit code."""
  with stops.StopRequest() as stop:
    run = subprocess.Popen(
      [sys.executable, '-m', 'launchers.growing_batch', *sys.argv[1:]]
    )
    while run.poll() is None:
      if stop.signal:  # It came to this process alone.
        run.send_signal(stop.signal)
        run.wait()
      time.sleep(_LOOK_SECONDS)
    if run.returncode:
      code: int = run.returncode
      return code if code > 0 else _SIGNALLED - code
    print('The run is done, and its volume has it.', flush=True)
    while not stop.signal:
      time.sleep(_LOOK_SECONDS)
  return 0


if __name__ == '__main__':
  sys.exit(main())
