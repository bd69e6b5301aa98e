"""What cannot wait until a command is ready: its signals, and its output.

Imports take a second or two, in which Ctrl-C would end in a traceback. Nothing
is begun then, so nothing need be tidied up. Little is imported here, since
nobody listens before this.
"""

import io
import os
import signal
import sys

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""They ask a command to stop; SIGHUP, because its terminal has gone."""
_STDERR = 2


def listen() -> None:
  """Has a stop end this process with one line, until somebody else takes it.

  `launchers.hosts.stops` has those who do.
  """
  for number in STOPS:
    if signal.getsignal(number) != signal.SIG_IGN:  # As nohup has it.
      signal.signal(number, _end)
  # Whoever started this process again had them wait; see `isolation.enter`.
  signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def print_anything() -> None:
  """Has what a terminal cannot show, such as π, printed as an escape.

  Its encoding is somebody's choice, and no reason to end with a traceback.
  """
  for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors='backslashreplace')


def _end(number: int, _: object) -> None:
  # Not by sys.stderr, which may be somebody's buffer by now.
  show_cursor = '\x1b[?25h' if os.isatty(_STDERR) else ''
  line = (
    f'{show_cursor}Stopped by {signal.Signals(number).name}. To go on, give '
    'the same command again.\n'
  )
  try:
    os.write(_STDERR, line.encode())
  finally:  # The terminal may have gone.
    os._exit(128 + number)
