"""Slurm: two batch scripts, sbatch, and what squeue says of their jobs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
import contextlib
import fcntl
import os
from pathlib import Path
import re
import shlex
import shutil
import subprocess
import sys
from typing import NamedTuple

from datasets import files
from launchers.engines.jobs import Jobs
from launchers.engines.options import Share
from launchers.hosts import process

_SECONDS = 60.0  # That a command of Slurm's may take.
_WARNING = 60  # Seconds before a time limit at which a job is told to stop.
_ENDING = ('COMPLETING',)  # States of jobs that squeue lists and nobody runs.


class Batch(NamedTuple):
  """What all scripts of a run or of a study share.

  Attributes:
    label: that the names of the jobs begin with.
    place: the directory for scripts and output.
    more: options of sbatch that a person gives, without dashes.
  """

  label: str
  place: Path
  more: tuple[str, ...] = ()


class UnknownError(OSError):
  """Slurm does not answer: whether a job is there is not known."""


class State(NamedTuple):
  """What squeue says of one job: its kind, number, state and place."""

  kind: str
  job: str
  state: str
  host: str


def check(directory: Path, dry_run: bool) -> None:
  """Refuses what no script of Slurm's can hold.

  Args:
    directory: for scripts and output.
    dry_run: whether nothing is to be submitted.

  Raises:
    ValueError: what it is, and what would do.
  """
  place = str(directory.resolve())
  if re.search(r'[\s"\'\\%,]', place):
    raise ValueError(
      f'{place} has a blank, a quote, a comma, a backslash or a %, which the '
      'names of output files cannot have under Slurm: choose another --name '
      'or --runs.'
    )
  if not dry_run and shutil.which('sbatch') is None:
    raise ValueError(
      'There is no sbatch here: run this on a host from which jobs are '
      'submitted, or look at what would be with --dry-run.'
    )


def scripts(jobs: Jobs, typed: str) -> dict[str, str]:
  """The batch script of each kind of job.

  Args:
    jobs: the run.
    typed: the command of the person who submits it, to go on with.
  """
  submission = jobs.submission
  batch = Batch(jobs.label, jobs.place, submission.sbatch)
  first = shlex.join(['export', f'UNDERSTUDY_COMMAND={typed}'])
  core = command(jobs.core_words())
  found = {'core': script(batch, 'core', submission.core, f'{first}\n{core}')}
  if submission.workers:
    worker = f'{command(jobs.worker_words())} "$SLURM_ARRAY_TASK_ID"'
    found['worker'] = script(
      batch, 'worker', submission.worker, worker, submission.workers
    )
  return found


def command(words: Sequence[str]) -> str:
  """The line of a script that becomes `python -m WORDS`."""
  return f'exec {shlex.join([sys.executable, "-u", "-m", *words])}'


def submit(
  label: str, place: Path, texts: dict[str, str], tell: Callable[[str], None]
) -> None:
  """Submits the kinds of jobs of which none is there.

  Args:
    label: that the names of the jobs begin with.
    place: the directory for the scripts.
    texts: the script of each kind.
    tell: shows a line to a person.

  Raises:
    UnknownError: whether any is there is not known, or it was not taken.
    ValueError: those that are there were submitted with other options.
  """
  with _alone(place):
    there = states(label, texts)
    for kind, text in texts.items():
      path = place / f'{kind}.sbatch'
      found = sorted({s.job for s in there if s.kind == kind})
      if found:
        _check_same(path, text, found)
        tell(f'{kind}: job {", ".join(found)} is there already.')
        continue
      files.write_text(path, text)
      number = _ask('sbatch', '--parsable', str(path)).strip()
      tell(f'{kind}: submitted as job {number.partition(";")[0]}.')


def states(label: str, kinds: Iterable[str]) -> list[State]:
  """The jobs of some kinds that wait or work.

  Raises:
    UnknownError: squeue failed.
  """
  names = {f'{label}-{kind}': kind for kind in kinds}
  # By name, and not by a number that we might have died before writing down.
  text = _ask(
    'squeue', '--noheader', '--me', f'--name={",".join(names)}',
    '--Format=Name:|,JobArrayID:|,State:|,NodeList:|',
  )  # fmt: skip
  found = []
  for line in text.splitlines():
    name, job, state, host, *_ = (word.strip() for word in line.split('|'))
    if name in names and state not in _ENDING:
      found.append(State(names[name], job, state, host))
  return found


def script(
  batch: Batch, kind: str, share: Share, lines: str, size: int = 0
) -> str:
  """A batch script.

  Args:
    batch: what it shares with others.
    kind: of its jobs.
    share: what each gets.
    lines: what it does, the last of them a `command`.
    size: jobs of an array; 0: it is one job.
  """
  log = f'{kind}-%a.log' if size else f'{kind}.log'
  options = [
    f'job-name={batch.label}-{kind}',
    f'output={batch.place.resolve() / log}',
    'open-mode=append',
    'requeue',
    'nodes=1',
    'ntasks=1',
    f'cpus-per-task={share.cpus}',
    f'mem={share.memory}G',
    # To the shell alone, which Python has become by then.
    f'signal=B:TERM@{_WARNING}',
    *([f'array=0-{size - 1}'] if size else []),
    *batch.more,
  ]
  path = f'{shlex.quote(str(process.ROOT))}"${{PYTHONPATH:+:$PYTHONPATH}}"'
  whole = [
    '#!/bin/bash',
    *(f'#SBATCH --{option}' for option in options),
    f'cd {shlex.quote(os.getcwd())}',
    f'export PYTHONPATH={path}',
    lines,
  ]
  return '\n'.join(whole) + '\n'


def _check_same(path: Path, text: str, found: list[str]) -> None:
  if not path.exists() or path.read_text(encoding='utf-8') != text:
    raise ValueError(
      f'Job {", ".join(found)} of this run was submitted with other options: '
      f'{path} has them. Give the same ones, or end it first: scancel '
      f'{" ".join(found)}'
    )


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
  """Keeps two who submit the same run from doing so twice."""
  descriptor = os.open(files.make_directory(place), os.O_RDONLY)
  try:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
  finally:
    os.close(descriptor)


def _ask(*words: str) -> str:
  try:
    done = subprocess.run(
      words, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
  except subprocess.TimeoutExpired as error:
    raise UnknownError(f'{words[0]} does not answer.') from error
  if done.returncode:
    raise UnknownError(f'{words[0]}: {done.stderr.strip()}')
  return done.stdout
