"""The jobs of a study: shared starts and cells, each a process of its own."""

from collections.abc import Iterable, Sequence
import os
from pathlib import Path
import signal
import subprocess
import time
from typing import Any, NamedTuple, Optional

from launchers.hosts.process import SINGLE_THREADED
from launchers.runs import schemas
from launchers.runs.run_directory import RunDirectory
from launchers.studies import stages
from launchers.studies.archive import Archive
from launchers.studies.config import Cell
from launchers.studies.results import COST

START_SHARE = 0.5
"""Of a cell's duration, for the estimate of the time left."""


class Job(NamedTuple):
  """A run of a study: a shared start, or a cell.

  Attributes:
    config: of the run.
    root: its directory.
    start: the name of the job that must be finished before; of a start, ''.
    cell: that it runs; of a start, None.
  """

  config: Any
  root: Path
  start: str
  cell: Optional[Cell]

  @property
  def name(self) -> str:
    """The run's name."""
    return self.config.run_name

  @property
  def weight(self) -> float:
    """How long it takes, in cells."""
    return 1.0 if self.start else START_SHARE

  @property
  def is_live(self) -> bool:
    """Whether some process runs it: another runner's, or one of a dead one."""
    return RunDirectory(self.root).is_live

  @property
  def is_finished(self) -> bool:
    """Whether all that it is for is there."""
    return stages.is_finished(self.config, self.root)

  @property
  def progress(self) -> float:
    """The part of its learner steps that is logged, 0 to 1."""
    return stages.progress(self.config, self.root)


def jobs_of(cells: Iterable[Cell], archive: Archive) -> list[Job]:
  """A job for each cell, in order; before the first that needs it, a start."""
  jobs: dict[str, Job] = {}
  for cell in cells:
    start = cell.start
    first = Job(start, archive.start(cell), '', None)
    jobs.setdefault(first.name, first)
    jobs[cell.name] = Job(cell.config, archive.root(cell), start.run_name, cell)
  return list(jobs.values())


class Running:
  """A job's process, with the log of its output."""

  def __init__(self, job: Job, command: Sequence[str], threads: int):
    """Starts it; it hears nothing of the terminal's Ctrl-C.

    Args:
      job: what it runs.
      command: that runs it.
      threads: of TensorFlow.
    """
    self.job = job
    self.log = job.root / 'study.log'
    self._began = time.monotonic()
    job.root.mkdir(parents=True, exist_ok=True)
    environment = {
      **os.environ,
      **SINGLE_THREADED,
      'TF_NUM_INTRAOP_THREADS': str(threads),
      'TF_NUM_INTEROP_THREADS': '1',
    }
    with self.log.open('ab') as log:
      self._process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
      )

  def poll(self) -> Optional[int]:
    """The exit code of the job, which is accounted for; None: it goes on."""
    pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
    if not pid:
      return None
    self._process.returncode = os.waitstatus_to_exitcode(status)
    self._account(usage.ru_utime + usage.ru_stime)
    return self._process.returncode

  def stop(self) -> None:
    """Asks it to stop; what it learned is saved."""
    os.kill(self._process.pid, signal.SIGTERM)

  def _account(self, cpu_seconds: float) -> None:
    path = self.job.root / COST
    cost = schemas.read(path) if path.exists() else {}
    wall_seconds = time.monotonic() - self._began
    for key, value in (('wall', wall_seconds), ('cpu', cpu_seconds)):
      key = f'{key}_seconds'
      cost[key] = round(cost.get(key, 0.0) + value, 1)
    RunDirectory(self.job.root).write_json(path, cost)
