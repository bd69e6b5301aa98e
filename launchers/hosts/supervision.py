"""Running a program's nodes: start, watch, stop, and say what happened."""

import atexit
from collections.abc import Callable
import contextlib
import io
import os
from pathlib import Path
import signal
import subprocess
import threading
import time
from typing import Any, NamedTuple, Optional

import launchpad as lp
from launchpad.nodes.python.local_multi_processing import PythonProcess

from launchers.hosts.heartbeat import Pulses, Silence
from launchers.hosts.process import (
  REFUSAL,
  REFUSED,
  SINGLE_THREADED,
  NodeRefusedError,
)
from launchers.hosts.stops import StopRequest

_NOTICE_SECONDS = 7.0  # Between asking a node to stop and killing it.
_SERVERS = ('conductor', 'replay', 'teacher')
_REFUSED = 'refused to go on'
_QUIET_SECONDS = 5.0  # After which a server is blamed for its clients' ends.


class Failure(NamedTuple):
  """A node that ended by itself, or that hung.

  Attributes:
    node: its name.
    how: its exit code, or the signal that killed it.
    log: the file with its output, if it has one.
  """

  node: str
  how: str
  log: Optional[Path]

  @property
  def is_refusal(self) -> bool:
    """Whether the node would end so again, until a person mends something."""
    return self.how.startswith(_REFUSED)

  def __str__(self) -> str:
    text = f'Node {self.node} {self.how.removesuffix(".")}.'
    if self.log is None:
      return text
    output = self.log.read_text(errors='replace')
    if self.is_refusal:
      message = output.rpartition(f'\n{REFUSAL}')[2].partition('\n\n')[0]
      return f'{text} Its output is in {self.log}\n{message}'.rstrip()
    lines = output.splitlines()
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
    _forget_at_exit(self._manager.wait)
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
    # Others may end since the one that refuses does not answer any more.
    ended.sort(key=lambda f: ('killed' not in f.how, not f.is_refusal))
    return ended[0] if ended else None

  def pids(self) -> dict[str, int]:
    """The process of each node; threads are in this one."""
    return {
      name if '/' in name else f'{name}/{i}': getattr(
        worker, 'pid', os.getpid()
      )
      for name, workers in self._workers.items()
      for i, worker in enumerate(workers)
    }

  def give_up(self, name: str, seconds: float) -> Failure:
    """Kills a node that hangs, unless it is a thread."""
    for worker in self._workers.get(name, ()):
      if isinstance(worker, subprocess.Popen):
        worker.kill()
    how = f'said nothing for {seconds:.0f} s: it hung, and was given up'
    return Failure(name, how, self._log(name))

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


def _forget_at_exit(wait: Callable[..., None]) -> None:
  """It would raise at exit what `failure` has reported by then."""
  atexit.unregister(wait)
  calls: Any = getattr(threading, '_threading_atexits')  # noqa: B009  (typed)
  calls[:] = [call for call in calls if call.func != wait]


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
    if code == REFUSED:
      return _REFUSED
    return f'ended with exit code {code}'
  if worker.thread.is_alive():
    return ''
  error = worker.future.exception()
  if isinstance(error, NodeRefusedError):
    return f'{_REFUSED}: {error}'
  return f'failed: {type(error).__name__}: {error}' if error else 'ended'


def watch(
  nodes: Nodes,
  stop: StopRequest,
  is_done: Callable[[], bool],
  on_tick: Callable[[], None],
  pulses: Pulses,
  tell: Callable[[str], None],
  period: float = 0.2,
) -> Optional[Failure]:
  """Waits until the run is done, a node ends or hangs, or a person stops it.

  Always stops the nodes before it returns.

  Args:
    nodes: of the program.
    stop: by which a person stops it.
    is_done: whether the run is done.
    on_tick: called now and then.
    pulses: of the nodes.
    tell: shows a person a line about a node that says nothing.
    period: seconds from one look to the next.

  Returns:
    The node that ended by itself or hung, or None.
  """
  named: set[str] = set()
  try:
    while stop.signal is None and not is_done():
      silences = _to_blame(pulses.look())
      failure = nodes.failure()
      if failure:
        return _server_behind(failure, nodes, pulses) or failure
      for silence in silences:
        if silence.is_hung:
          return nodes.give_up(silence.node, silence.seconds)
      _tell_changes(silences, named, tell)
      on_tick()
      time.sleep(period)
    return None
  finally:
    nodes.stop()


def _is_server(node: str) -> bool:
  return node.split('/')[0] in _SERVERS


def _to_blame(silences: list[Silence]) -> list[Silence]:
  """Without those that only wait for the answer of a silent server."""
  return [s for s in silences if _is_server(s.node)] or silences


def _server_behind(
  failure: Failure, nodes: Nodes, pulses: Pulses
) -> Optional[Failure]:
  """The server whose silence has ended the node, if that was it."""
  if 'killed' in failure.how or failure.is_refusal or _is_server(failure.node):
    return None
  for node in filter(_is_server, nodes.pids()):
    if pulses.quiet_for(node) >= _QUIET_SECONDS:
      return nodes.give_up(node, pulses.quiet_for(node))
  return None


def _tell_changes(
  silences: list[Silence], named: set[str], tell: Callable[[str], None]
) -> None:
  """Names each silent node once, and again when it is silent no longer."""
  for node, seconds, _ in silences:
    if node not in named:
      tell(f'Node {node} has said nothing for {seconds:.0f} s.')
  present = {silence.node for silence in silences}
  for node in named - present:
    tell(f'Node {node} goes on.')
  named.clear()
  named.update(present)
