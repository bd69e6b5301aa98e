"""Of two copies of one job, one works and the other waits.

An engine may run a job twice at once: where its daemon on a host died and what
it had started did not, or where its controller has forgotten. The kernel knows
better, for it holds a lock as long as the process that took it.
"""

import fcntl
import os
from pathlib import Path
import socket

from datasets import files


def hold(path: Path) -> int:
  """Takes a lock for this process and what it passes the descriptor to.

  Waits for whoever has it, and says so.

  Returns:
    The open file descriptor that holds it; a process that replaces this one
    has it, too.

  Raises:
    OSError: the file cannot be made, or its file system has no locks.
  """
  files.make_directory(path.parent)
  descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
  try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except BlockingIOError:
    holder = os.pread(descriptor, 200, 0).decode(errors='replace').strip()
    print(
      f'Another copy of this job is at work ({holder or "unknown"}). This one '
      'waits for its end, and goes on then.',
      flush=True,
    )
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    print('The other copy has ended; this one goes on.', flush=True)
  os.ftruncate(descriptor, 0)
  os.pwrite(descriptor, f'{socket.gethostname()} {os.getpid()}\n'.encode(), 0)
  os.set_inheritable(descriptor, True)
  return descriptor
