"""A study's runner without any process."""

from collections.abc import Sequence
from pathlib import Path

from launchers.studies.archive import Archive
from launchers.studies.config import Study
from launchers.studies.jobs import Job
from launchers.studies.runner import Runner, Schedule
from tests.launchers.studies import samples as studies


class FakeRunning:
  """A process of a job: it is done at the first look."""

  begun: list[str]
  """The jobs, in the order in which they were begun."""
  commands: list[list[str]]

  def __init__(self, job: Job, command: Sequence[str], threads: int):
    self.job, self.log = job, job.root / 'study.log'
    self.begun.append(job.name)
    self.commands.append(list(command))

  def poll(self) -> int:
    if self.job.cell is not None:
      studies.run(self.job.root.parents[2], self.job.cell)
    for cycle in range(self.job.config.cycles + 1):
      path = self.job.root / f'cycles/{cycle:03d}/policy.npz'
      path.parent.mkdir(parents=True, exist_ok=True)
      path.touch()
    return 0


def schedule(tmp_path: Path, **options: object) -> Schedule:
  return Schedule(tmp_path / 'figure0.toml', **options)  # type: ignore[arg-type]


def run(study: Study, archive: Archive, schedule: Schedule) -> Runner:
  runner = Runner(study, archive, schedule)
  for _ in range(100):
    if runner.is_done:
      assert not runner.failed
      return runner
    runner.tick()
  raise AssertionError(f'It does not end: {runner.running}')
