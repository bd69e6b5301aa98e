"""Running a program's nodes: start, watch, stop, and say what happened."""

import atexit
from collections.abc import Callable
import contextlib
import io
from pathlib import Path
import signal
import subprocess
import time
from typing import Any, NamedTuple, Optional

import launchpad as lp
from launchpad.nodes.python.local_multi_processing import PythonProcess

from launchers.hosts.process import SINGLE_THREADED, StopRequest

_NOTICE_SECONDS = 7.0  # Between asking a node to stop and killing it.
_SERVERS = ('conductor', 'replay', 'teacher')


class Failure(NamedTuple):
  """A node that ended by itself.

  Attributes:
    node: its name.
    how: its exit code, or the signal that killed it.
    log: the file with its output, if it has one.
  """

  node: str
  how: str
  log: Optional[Path]

  def __str__(self) -> str:
    text = f'Node {self.node} {self.how}.'
    if self.log is None:
      return text
    lines = self.log.read_text(errors='replace').splitlines()
    last = len(lines)
    while last and not lines[last - 1].startswith('  File'):
      last -= 1
    message = '\n'.join(lines[last + 1 :][-12:]) if last else ''
    return f'{text} Its output is in {self.log}\n{message}'.rstrip()


class Nodes:
  """The nodes of one launched program, as processes or as threads."""

  def __init__(self, program: lp.Program, threads: bool, logs: Path):
    self._logs = logs
    self._threads = threads
    if threads:
      self._manager = lp.launch(
        program, lp.LaunchType.LOCAL_MULTI_THREADING, serialize_py_nodes=False
      )
    else:
      self._manager = self._launch_processes(program, logs)
    # It would raise at exit what `failure` has reported by then.
    atexit.unregister(self._manager.wait)
    # Launchpad 0.5.0 has no public way to tell which worker ended.
    self._workers: dict[str, list[Any]] = dict(self._manager._active_workers)

  @staticmethod
  def _launch_processes(program: lp.Program, logs: Path) -> Any:
    resources = {
      label: PythonProcess(env={} if label == 'learner' else SINGLE_THREADED)
      for label in program.groups
    }
    # The directory is read when Launchpad is imported, so it is set twice.
    from launchpad.launch.run_locally import launch_local_output_to_files

    launch_local_output_to_files._LOGGING_DIR = str(logs)
    with contextlib.redirect_stdout(io.StringIO()):  # It announces each file.
      return lp.launch(
        program,
        lp.LaunchType.LOCAL_MULTI_PROCESSING,
        local_resources=resources,
        terminal='output_to_files',
      )

  def failure(self) -> Optional[Failure]:
    """A node that has ended, killed ones first; None while all run."""
    ended = [
      Failure(name, how, self._log(name))
      for name, workers in self._workers.items()
      for how in map(_how_it_ended, workers)
      if how
    ]
    ended.sort(key=lambda failure: 'killed' not in failure.how)
    return ended[0] if ended else None

  def stop(self) -> None:
    """Asks every node to stop, those that serve others last.

    What has not stopped after a while is killed.
    """
    deadline = time.monotonic() + _NOTICE_SECONDS
    self._manager.stop_event().set()  # For threads.
    servers = [n for n in self._workers if n.split('/')[0] in _SERVERS]
    clients = [n for n in self._workers if n not in servers]
    for names in (clients, servers):
      workers = [worker for name in names for worker in self._workers[name]]
      for worker in workers:
        if isinstance(worker, subprocess.Popen) and worker.poll() is None:
          worker.terminate()
      for worker in workers:
        _end(worker, max(0.5, deadline - time.monotonic()))

  def _log(self, name: str) -> Optional[Path]:
    return None if self._threads else self._logs / name


def _end(worker: Any, seconds: float) -> None:
  if not isinstance(worker, subprocess.Popen):
    worker.thread.join(seconds)
    return
  try:
    worker.wait(seconds)
  except subprocess.TimeoutExpired:
    worker.kill()
    worker.wait()


def _how_it_ended(worker: Any) -> str:
  if isinstance(worker, subprocess.Popen):
    code = worker.poll()
    if code is None:
      return ''
    if code < 0:
      return f'was killed ({signal.Signals(-code).name})'
    return f'ended with exit code {code}'
  if worker.thread.is_alive():
    return ''
  error = worker.future.exception()
  return f'failed: {type(error).__name__}: {error}' if error else 'ended'


def watch(
  nodes: Nodes,
  stop: StopRequest,
  is_done: Callable[[], bool],
  on_tick: Callable[[], None],
  period: float = 0.2,
) -> Optional[Failure]:
  """Waits until the run is done, a node ends, or a person stops it.

  Always stops the nodes before it returns.

  Returns:
    The node that ended by itself, or None.
  """
  try:
    while stop.signal is None and not is_done():
      failure = nodes.failure()
      if failure:
        return failure
      on_tick()
      time.sleep(period)
    return None
  finally:
    nodes.stop()
