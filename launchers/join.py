"""Acts for a run on another host: python -m launchers.join HOST:PORT.

The run is started with --gateway.address; see docs/machines.md. Which episodes
are acted here changes nothing that comes of them. The same command joins again.
"""

import dataclasses
import os
from pathlib import Path
import secrets
import socket
import subprocess
import sys
import threading
import time
from typing import Annotated, Optional

from rich.console import Console
import tyro

from datasets import bounds
from launchers import command_line
from launchers.hosts import process, stops
from launchers.workers.options import KeyFiles, WorkerOptions
from teachers import credentials

_STOP_SECONDS = 9.0  # After which a worker that does not stop is killed.
_LOOK_SECONDS = 0.1
_LAST_WORDS_SECONDS = 1.0  # Of a worker that has ended.
_RESTARTS = 5  # Of one worker, before the command gives up.


@dataclasses.dataclass(frozen=True)
class Options:
  """Acts episodes for a run that another host has started.

  It needs no TensorFlow, and no disk that both hosts share. Episodes are kept
  on this one's until the run has them. It ends when the run is done.
  """

  address: Annotated[str, tyro.conf.Positional]
  """host:port of the run's gateway."""
  token_file: Optional[Path] = None
  """A file with the run's token."""
  ca: Optional[Path] = None
  """The certificates, in PEM, that the run's own is signed by; or itself."""
  certificate: Optional[Path] = None
  """This host's own certificate, in PEM, for a run that asks for one."""
  key: Optional[Path] = None
  """Its private key, in PEM without a password."""
  server_name: str = ''
  """The name that the run's certificate is of; empty: the host's above."""
  actors: Optional[int] = None
  """Processes that act; None: one for each core of this host."""
  evaluators: int = 0
  """Processes that measure policies, beside the run's own."""
  scratch: Path = Path('scratch')
  """A directory for episodes that the run does not have yet."""

  def __post_init__(self) -> None:
    """Refuses what no worker could honour."""
    bounds.check(self, actors=(0, 1_024), evaluators=(0, 1_024))
    if self.actors == 0 and not self.evaluators:
      raise ValueError(
        '--actors and --evaluators are 0: nothing would be done. Give one.'
      )
    credentials.split_address(self.address)


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  try:
    options = command_line.parse(Options, 'launchers.join')
    process.prepare_environment()
    orders = _orders(options)
    orders[0].check()
    return _run(orders, console)
  except (OSError, ValueError) as error:
    console.print('[bold red]Refused:[/]', end=' ')
    text = command_line.describe(error)
    console.print(text, soft_wrap=True, markup=False, highlight=False)
    return process.REFUSED


def _orders(options: Options) -> list[WorkerOptions]:
  # Not after the process alone: another host's may have the same number.
  host = f'{socket.gethostname()}-{secrets.token_hex(3)}'
  files = KeyFiles.of(
    options.token_file, options.ca, options.certificate, options.key,
    server_name=options.server_name,
  )  # fmt: skip
  actors = options.actors
  if actors is None:
    actors = len(os.sched_getaffinity(0))
  return [
    WorkerOptions(
      options.address,
      files,
      f'{host}/{role}/{n}',
      role == 'evaluator',
      str(options.scratch.resolve() / f'{role}-{n}'),
      os.getpid(),
    )
    for role, count in (('actor', actors), ('evaluator', options.evaluators))
    for n in range(count)
  ]


def _start(order: WorkerOptions) -> 'subprocess.Popen[str]':
  words = ['-m', 'launchers.workers.process', order.to_json()]
  return subprocess.Popen(
    [sys.executable, *words],
    stdin=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
    errors='replace',
    cwd=process.ROOT,
    env={**os.environ, **process.SINGLE_THREADED},
  )


def _run(orders: list[WorkerOptions], console: Console) -> int:
  """Keeps the workers up until the run is done; returns the exit code."""
  voices: list[threading.Thread] = []
  said: dict[str, int] = {}

  def start(order: WorkerOptions) -> 'subprocess.Popen[str]':
    worker = _start(order)
    voices.append(
      threading.Thread(target=_pass_on, args=(worker, said), daemon=True)
    )
    voices[-1].start()
    return worker

  with stops.StopRequest() as stop:
    workers = {order.name: (order, start(order)) for order in orders}
    restarts = dict.fromkeys(workers, 0)
    stop.listen()
    console.print(
      f'Joining {orders[0].address}; actors: '
      f'{sum(not o.is_evaluator for o in orders)}, evaluators: '
      f'{sum(o.is_evaluator for o in orders)}.',
      highlight=False,
    )
    code = 0
    while workers and not stop.signal and code == 0:
      time.sleep(_LOOK_SECONDS)
      for name, (order, worker) in list(workers.items()):
        ended = worker.poll()
        if ended is None:
          continue
        del workers[name]
        if ended == process.REFUSED:
          code = ended
        elif ended != 0:
          restarts[name] += 1
          console.print(f'{name} ended with {ended}.', highlight=False)
          if restarts[name] > _RESTARTS:
            code = 1
          else:
            workers[name] = order, start(order)
    _end([worker for _, worker in workers.values()])
    for voice in voices:
      voice.join(_LAST_WORDS_SECONDS)
    if stop.signal:
      console.print(
        f'Stopped by {stop.signal.name}. The same command joins again.'
      )
      return 128 + stop.signal
    if code == 0:
      console.print('The run is done.')
    return code


def _pass_on(worker: 'subprocess.Popen[str]', said: dict[str, int]) -> None:
  """Shows a worker's errors; a refusal that another has shown, not again.

  Args:
    worker: its errors are read to their end.
    said: the refusals that are shown, and the process of each.
  """
  assert worker.stderr  # A pipe.
  for line in worker.stderr:
    text = line
    if line.startswith(process.REFUSAL):
      text += worker.stderr.read()
      if said.setdefault(text, worker.pid) != worker.pid:
        return
    print(text, end='', file=sys.stderr, flush=True)


def _end(workers: 'list[subprocess.Popen[str]]') -> None:
  for worker in workers:
    worker.terminate()
  deadline = time.monotonic() + _STOP_SECONDS
  for worker in workers:
    try:
      worker.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
      worker.kill()
      worker.wait()


if __name__ == '__main__':
  sys.exit(main())
