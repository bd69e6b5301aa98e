"""Runs the jobs of a study, some at a time, in the order of the study."""

from collections.abc import Iterable
import os
from pathlib import Path
import sys
import time
from typing import NamedTuple, Optional

from launchers.hosts.process import ROOT
from launchers.runs.run_directory import LIVE
from launchers.studies.archive import Archive
from launchers.studies.config import Cell, Study, StudyError, chosen
from launchers.studies.jobs import START_SHARE, Job, Running, jobs_of


class Schedule(NamedTuple):
  """How a study is run this time; none of it changes a result.

  Attributes:
    file: the study's.
    seeds: in place of the file's.
    only: shell patterns of the names of the cells to run; none: all.
    parallel: runs at a time.
    discard: whether a run's directory goes when its cell is kept in a file.
    fresh: whether to run again what sources gave that give other results now.
  """

  file: Path
  seeds: tuple[int, ...] = ()
  only: tuple[str, ...] = ()
  parallel: int = 1
  discard: bool = False
  fresh: bool = False


class Runner:
  """Keeps some jobs running until none is left.

  Attributes:
    finished: the names of the starts and cells that are done.
    failed: why others cannot be done, by name.
    told: what somebody should know of those that are done.
    elsewhere: the names of those that another process runs: another runner's,
      or what is left of one that was killed. They are waited for.
  """

  def __init__(self, study: Study, archive: Archive, schedule: Schedule):
    """Looks for what is finished.

    Raises:
      StudyError: there is no such cell, or a cell's file cannot be used.
    """
    self._study, self._archive, self._schedule = study, archive, schedule
    self._threads = max(1, (os.cpu_count() or 1) // schedule.parallel)
    self.finished: set[str] = set()
    self.failed: dict[str, str] = {}
    self.told: list[str] = []
    self.running: list[Running] = []
    cells = chosen(study, schedule.only)
    self._runs = {cell.name for cell in cells}
    if schedule.fresh:
      older = [n for cell in cells for n in archive.set_aside_older(cell)]
      self.told += [f'{n} is of older sources; it is run again.' for n in older]
    unfinished = [cell for cell in cells if not self._is_kept(cell)]
    self._waiting = jobs_of(unfinished, archive)
    self.elsewhere: set[str] = set()
    for job in list(self._waiting):
      if not job.is_live and job.is_finished:
        self._waiting.remove(job)
        self._note_finished(job)
    self._drop_idle_starts()
    self._began = time.monotonic()
    self._work = sum(self._weights(self._waiting))
    self._found = sum(job.progress * job.weight for job in self._waiting)

  @property
  def total(self) -> int:
    """How many runs there are, without what they start from."""
    return len(self._runs)

  @property
  def done(self) -> int:
    """How many of them are finished."""
    return len(self._runs & self.finished)

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
    self._look_elsewhere()
    for job in list(self._waiting):
      if job.start in self.failed:
        self._waiting.remove(job)
        self.failed[job.name] = f'its start {job.start} failed'
      elif (
        job.name not in self.elsewhere
        and len(self.running) < self._schedule.parallel
        and (not job.start or job.start in self.finished)
      ):
        self._begin(job)

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
    if done < START_SHARE:
      return None
    return ahead / done * (time.monotonic() - self._began)

  @staticmethod
  def _weights(jobs: Iterable[Job]) -> list[float]:
    return [job.weight for job in jobs]

  def _is_kept(self, cell: Cell) -> bool:
    """Whether the cell's file is there, perhaps from another machine."""
    if self._archive.kept(cell) is None:
      return False
    self.finished.add(cell.name)
    return True

  def _look_elsewhere(self) -> None:
    """Notes who is run by others, and what has become of those who were."""
    live = {job.name for job in self._waiting if job.is_live}
    ended, self.elsewhere = self.elsewhere - live, live
    if not ended:
      return
    for job in list(self._waiting):
      # Its directory may have gone, as soon as its file was there.
      if job.cell is not None and self._is_kept_well(job.cell):
        self._waiting.remove(job)
      elif job.name in ended and job.is_finished:
        self._waiting.remove(job)
        self._note_finished(job)
    self._drop_idle_starts()

  def _is_kept_well(self, cell: Cell) -> bool:
    try:
      return self._is_kept(cell)
    except StudyError:
      return False  # It is told when the cell is to be begun.

  def _drop_idle_starts(self) -> None:
    """Leaves out the starts that no waiting cell needs."""
    needed = {job.start for job in self._waiting}
    self._waiting = [j for j in self._waiting if j.start or j.name in needed]

  def _begin(self, job: Job) -> None:
    if job not in self._waiting:
      return  # A start that was dropped.
    self._waiting.remove(job)
    try:
      # Others may have finished it since.
      if job.cell is not None and self._is_kept(job.cell):
        self._drop_idle_starts()
        return
    except StudyError as error:
      self.failed[job.name] = str(error)
      return
    self.running.append(Running(job, self._command(job), self._threads))

  def _command(self, job: Job) -> list[str]:
    schedule = self._schedule
    words = ['--runs', str(self._archive.runs), '--parent', str(os.getpid())]
    if schedule.seeds:
      words += ['--seeds', *map(str, schedule.seeds)]
    module = 'launchers.study_cell'
    file = str(schedule.file)
    return [sys.executable, '-m', module, file, job.name, *words]

  def _rerun(self, cell: Cell) -> str:
    """The command that runs a cell again, alone and beside what is there."""
    path = self._schedule.file.resolve()
    file = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    seeds = ' '.join(map(str, self._schedule.seeds))
    return (
      f'python -m launchers.study {file} --only {cell.name} '
      + (f'--seeds {seeds} ' if seeds else '')
      + '--runs runs/again --cells runs/again/cells'
    )

  def _note_end(self, running: Running, code: int) -> None:
    job = running.job
    if job.is_finished:  # Also where it was killed as it ended.
      self._note_finished(job)
      return
    if code == LIVE:
      self._waiting.insert(0, job)
      return
    how = f'signal {-code}' if code < 0 else f'exit code {code}'
    self.failed[job.name] = f'{how}; its output is in {running.log}'

  def _note_finished(self, job: Job) -> None:
    if job.cell is None:
      self.finished.add(job.name)
      return
    try:
      difference = self._archive.keep(job.cell, self._rerun(job.cell))
    except (StudyError, OSError) as error:
      self.failed[job.name] = f'it is finished, but not kept: {error}'
      return
    self.finished.add(job.name)
    if difference:
      self.told.append(
        f'{job.name} was kept by another run, which stays. This one gave '
        f'something else, {difference}. Its run directory is {job.root}.'
      )
    elif self._schedule.discard:
      self._archive.discard(self._study, job.cell)
