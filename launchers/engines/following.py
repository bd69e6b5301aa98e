"""How the jobs of a run go on, for a person who looks on."""

from collections import Counter
from collections.abc import Callable
import json
from pathlib import Path
from typing import Optional

from launchers.engines import slurm
from launchers.engines.jobs import Jobs
from launchers.hosts.stops import StopRequest

_LOOKS = 20  # In a row at which no job is there, before that is believed.
_TAIL = 15  # Lines of a core's output that tell why it ended.
_FAILED = 1  # An exit code; a signal N gives 128 + N.


def progress(jobs: Jobs) -> str:
  """How far the run is, from its files alone."""
  directory, config = jobs.directory, jobs.config
  for cycle in range(config.cycles + 1):
    if directory.policy_path(cycle).exists():
      continue
    store = directory.demonstrations
    if cycle:
      store = directory.cycle(cycle) / 'episodes'
    count, wanted = len(list(store.glob('*.npz'))), config.episodes_in(cycle)
    learning = ', learning' if count >= wanted else ''
    return (
      f'cycle {cycle} of {config.cycles}: {count:,} of {wanted:,} episodes'
      f'{learning}'
    )
  return f'all {config.cycles} cycles finished'


def is_done(jobs: Jobs) -> bool:
  """Whether nothing of the run is left to do, and nobody does any."""
  return jobs.last_policy.exists() and not jobs.directory.is_live


def follow(
  jobs: Jobs,
  stop: StopRequest,
  tell: Callable[[str], None],
  wait: Callable[[], None],
) -> int:
  """Tells what changes, until the core's job has ended.

  Args:
    jobs: of the run.
    stop: ends only the looking on.
    tell: shows a line to a person.
    wait: lets some seconds pass.

  Returns:
    The exit code: 0 when the run is done, 1 when its core ended before.
  """
  last, absent = '', 0
  while not stop.signal:
    line, is_there = _look(jobs)
    if line != last:
      tell(line)
      last = line
    # A requeued job may be missing for a moment; unknown means nothing.
    absent = 0 if is_there is not False else absent + 1
    if is_there is False and is_done(jobs):
      return _conclude(jobs, tell)
    if absent >= _LOOKS:
      tell('The core has ended, and the run is not done. Its last lines:')
      for text in _tail(jobs.place / 'core.log'):
        tell(f'  {text}')
      tell('The same command submits it again, and it goes on.')
      return _FAILED
    wait()
  tell(
    f'Stopped by {stop.signal.name}: the jobs go on. The same command follows '
    f'them again; scancel --me --name={jobs.label}-core,{jobs.label}-worker '
    'ends them.'
  )
  return 128 + stop.signal


def _look(jobs: Jobs) -> tuple[str, Optional[bool]]:
  """A line for a person, and whether the core is there; None: not known."""
  try:
    found = slurm.states(jobs.label, ('core', 'worker'))
  except slurm.UnknownError as error:
    return f'{error} The jobs may go on; {progress(jobs)}', None
  core = [f'{s.state} {s.host}'.strip() for s in found if s.kind == 'core']
  counts = Counter(s.state for s in found if s.kind == 'worker')
  workers = [f'{count} {state}' for state, count in sorted(counts.items())]
  line = (
    f'core: {", ".join(core) or "none"}; workers: '
    f'{", ".join(workers) or "none"}; {progress(jobs)}'
  )
  return line, bool(core)


def _conclude(jobs: Jobs, tell: Callable[[str], None]) -> int:
  """Prints the result, as the core did, for the last line of output."""
  tell('The run is done.')
  for line in reversed(_tail(jobs.place / 'core.log')):
    if line.startswith('{'):
      print(json.dumps(json.loads(line)), flush=True)
      break
  return 0


def _tail(log: Path) -> list[str]:
  try:
    text = log.read_text(encoding='utf-8', errors='replace')
  except FileNotFoundError:
    return []
  return text.splitlines()[-_TAIL:]
