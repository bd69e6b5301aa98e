"""Runs the jobs of a study, some at a time, each in a process of its own."""

from collections.abc import Iterable, Sequence
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import NamedTuple, Optional

from launchers.hosts.process import SINGLE_THREADED
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from launchers.studies.config import Study, directory

COST = 'study.json'
"""In a run's directory: what the run has cost, over all its attempts."""

_START_SHARE = 0.5  # Of a cell's duration, for the estimate of the time left.


class Job(NamedTuple):
  """A run of a study: a shared start, or a cell.

  Attributes:
    config: of the run.
    root: its directory.
    start: the name of the job that must be finished before; of a start, ''.
  """

  config: GrowingBatchConfig
  root: Path
  start: str

  @property
  def name(self) -> str:
    """The run's name."""
    return self.config.run_name

  @property
  def weight(self) -> float:
    """How long it takes, in cells."""
    return 1.0 if self.start else _START_SHARE

  @property
  def is_finished(self) -> bool:
    """Whether its last cycle is published."""
    cycles = self.config.cycles
    return RunDirectory(self.root).finished_cycles(cycles) > cycles

  @property
  def progress(self) -> float:
    """The part of its learner steps that is logged, 0 to 1."""
    tables = sorted((self.root / 'cycles').glob('*/metrics.csv'))
    total = self.config.total_learner_steps
    if not tables or not total:
      return 0.0
    last = tables[-1].read_text().splitlines()[-1].split(',')
    is_learning = last[0] == 'learn' and last[1].isdigit()
    return int(last[1]) / total if is_learning else 0.0


def jobs_of(study: Study, runs: Path) -> list[Job]:
  """Each start before its cells; cells of low seeds first."""
  starts = {
    name: Job(config, directory(runs, 'starts') / name, '')
    for name, config in study.starts.items()
  }
  jobs: list[Job] = []
  for cell in study.cells:
    start = starts.pop(cell.start.run_name, None)
    jobs += [start] if start else []
    root = directory(runs, 'cells') / cell.name
    jobs.append(Job(cell.config, root, cell.start.run_name))
  return jobs


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
    cost = json.loads(path.read_text()) if path.exists() else {}
    wall_seconds = time.monotonic() - self._began
    for key, value in (('wall', wall_seconds), ('cpu', cpu_seconds)):
      key = f'{key}_seconds'
      cost[key] = round(cost.get(key, 0.0) + value, 1)
    RunDirectory(self.job.root).write_json(path, cost)


class Runner:
  """Keeps some jobs running until none is left."""

  def __init__(
    self,
    study_file: Path,
    study: Study,
    runs: Path,
    parallel: int,
    seeds: Sequence[int],
  ):
    jobs = jobs_of(study, runs)
    self._arguments = [str(study_file)], ['--runs', str(runs)]
    if seeds:
      self._arguments[1].extend(['--seeds', *map(str, seeds)])
    self._parallel = parallel
    self._threads = max(1, (os.cpu_count() or 1) // parallel)
    self.total = len(jobs)
    self.finished = {job.name for job in jobs if job.is_finished}
    self._waiting = [job for job in jobs if job.name not in self.finished]
    self.running: list[Running] = []
    self.failed: dict[str, str] = {}
    self._began = time.monotonic()
    self._work = sum(self._weights(self._waiting))
    self._found = sum(job.progress * job.weight for job in self._waiting)

  @property
  def is_done(self) -> bool:
    """Whether nothing runs and nothing can be started."""
    return not self.running and not self._waiting

  def tick(self) -> None:
    """Notes what has ended and starts what can be."""
    for running in list(self.running):
      code = running.poll()
      if code is not None:
        self.running.remove(running)
        self._note_end(running, code)
    for job in list(self._waiting):
      if job.start in self.failed:
        self._waiting.remove(job)
        self.failed[job.name] = f'its start {job.start} failed'
      elif len(self.running) < self._parallel and (
        not job.start or job.start in self.finished
      ):
        self._waiting.remove(job)
        self.running.append(Running(job, self._command(job), self._threads))

  def stop(self) -> None:
    """Stops the running jobs and waits for them; starts no other."""
    self._waiting.clear()
    for running in self.running:
      running.stop()
    while self.running:
      self.tick()
      time.sleep(0.1)

  def seconds_left(self) -> Optional[float]:
    """An estimate from what this start of the study has done so far."""
    ahead = sum(self._weights(self._waiting)) + sum(
      running.job.weight * (1 - running.job.progress)
      for running in self.running
    )
    done = self._work - ahead - self._found
    if done < _START_SHARE:
      return None
    return ahead / done * (time.monotonic() - self._began)

  @staticmethod
  def _weights(jobs: Iterable[Job]) -> list[float]:
    return [job.weight for job in jobs]

  def _command(self, job: Job) -> list[str]:
    (study,), options = self._arguments
    return [
      sys.executable, '-m', 'launchers.study_cell', study, job.name, *options,
      '--parent', str(os.getpid()),
    ]  # fmt: skip

  def _note_end(self, running: Running, code: int) -> None:
    job = running.job
    if code == 0 and job.is_finished:
      self.finished.add(job.name)
      return
    how = f'signal {-code}' if code < 0 else f'exit code {code}'
    self.failed[job.name] = f'{how}; its output is in {running.log}'
