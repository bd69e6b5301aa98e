"""What the commands share: options that choose others, teachers, results."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
import contextlib
import dataclasses
import itertools
import json
import os
from pathlib import Path
import re
import shlex
import sys
import time
from typing import Any, Optional

from rich.console import Console
from rich.markup import escape

from agents import registry as agents
from agents.config import AgentConfig
from datasets.files import DamagedFileError
from launchers import command_line
from launchers.acting.outcomes import TooManyFailuresError
from launchers.environments import described, names
from launchers.environments.base import Description
from launchers.hosts import isolation, temporaries
from launchers.hosts.stops import Interrupted, StoppedError, interruptible
from launchers.runs.config import DEMO, GrowingBatchConfig
from launchers.runs.frozen import ConfigChangedError
from launchers.runs.run_directory import RunDirectory, RunIsLiveError
from teachers import registry, snapshot, untrained
from teachers.errors import (
  AdviceRefusedError,
  TeacherFailedError,
  TeacherStoppedError,
  TeacherUnavailableError,
)

_KIND = '--agent.kind'
_EPISODES = 40  # In each cycle of a system that is only described.

_FAILURES = (
  AdviceRefusedError,
  BrokenProcessPool,
  TeacherFailedError,
  TeacherStoppedError,
  TeacherUnavailableError,
  TooManyFailuresError,
)

_PASSING = (
  BrokenProcessPool,
  TeacherStoppedError,
  TeacherUnavailableError,
)
"""Of these, what another attempt may do without."""


def with_kind(words: Sequence[str]) -> list[str]:
  """The words of a command, with `--agent KIND` in its long form."""
  return [re.sub('^--agent(?==|$)', _KIND, word) for word in words]


def values_of(words: Sequence[str], option: str) -> list[str]:
  """What the words of a command say for an option, each time that they do."""
  found = []
  for word, after in itertools.pairwise([*words, '']):
    name, is_joined, value = word.partition('=')
    if name == option:
      found.append(value if is_joined else after)
  return found


def agent_of(words: Sequence[str], default: AgentConfig) -> AgentConfig:
  """The agent, with its defaults, that the words of a command name.

  An agent's options are those of its own configuration, so it must be known
  before the options are parsed.

  Args:
    words: after the command; `--agent.kind KIND` is looked for.
    default: where there is none.

  Raises:
    ValueError: there is no such agent, or several are named.
  """
  kinds = list(dict.fromkeys(values_of(words, _KIND)))
  if len(kinds) > 1:
    raise ValueError(
      f'--agent is {" and ".join(kinds)}; an agent is of one kind: name one.'
    )
  kind = next(iter(kinds), default.kind)
  return default if kind == default.kind else agents.find(kind).config()


def defaults_of(words: Sequence[str]) -> GrowingBatchConfig:
  """A growing-batch run, where the words of a command say nothing else.

  Args:
    words: after the command; `--demo`, the agent, and a task that is only
      described are looked for.

  Raises:
    OSError: a description cannot be read.
    ValueError: there is no such agent, or a description is none.
  """
  run = DEMO if '--demo' in words else GrowingBatchConfig()
  agent = agent_of(words, run.agent)
  objective = agents.default_objective(agent, run.objective)
  run = dataclasses.replace(run, agent=agent, objective=objective)
  task = values_of(words, '--task')
  if task and names.is_described(task[-1]):
    return _described(run, described.load(Path(task[-1])), words)
  return run


def _described(
  run: GrowingBatchConfig, system: described.System, words: Sequence[str]
) -> GrowingBatchConfig:
  """A run on a system that is only described: nobody acts or evaluates."""
  task = values_of(words, '--task')[-1]
  said = ''.join(values_of(words, '--cycles')[-1:])
  cycles = int(said) if said.isdigit() else run.cycles
  agent = run.agent
  if system.discount is not None:
    agent = dataclasses.replace(agent, discount=system.discount)
  evaluation = dataclasses.replace(run.evaluation, interval=0, final_episodes=0)
  return dataclasses.replace(
    run, task=task, agent=agent, episode_steps=system.episode_steps,
    cycles=cycles, actor_steps=cycles * _EPISODES * system.episode_steps,
    num_actors=0, evaluation=evaluation,
    demonstrations=dataclasses.replace(run.demonstrations, episodes=_EPISODES),
  )  # fmt: skip


def task_of(address: str, task: str) -> str:
  """The name of the task, as domain-task, that a teacher is to teach.

  Args:
    address: of the teacher.
    task: what the person said; empty: what the snapshot's file says.

  Raises:
    FileNotFoundError: there is no such snapshot.
    ValueError: nobody says, or a file alone names someone's Python.
  """
  registry.check_form(address)
  is_file = not (
    registry.is_service(address)
    or registry.is_python(address)
    or address == untrained.NAME
  )
  if not task and is_file:
    task = snapshot.load(address).metadata.get('task', '')
    if ':' in names.canonical(task):
      # A file is trusted with numbers, not with what Python runs.
      raise ValueError(
        f'{address} is of the task {task}, whose environment is made by '
        f"someone's Python. If you trust that: --task {shlex.quote(task)}"
      )
  if not task:
    is_service = 'is a service and ' if registry.is_service(address) else ''
    raise ValueError(
      f'{address} {is_service}names no task: give --task, as in --task '
      'cartpole-swingup.'
    )
  return names.canonical(task)


def warn_unless_seeded(environment: Description, console: Console) -> None:
  """Says what an environment that takes no seed costs."""
  if not environment.is_seeded:
    console.print(
      f'{environment.task.name} takes no seed: its episodes differ from run to '
      'run, and a run that is resumed will not be the same, bit for bit. Give '
      'it a method seed(seed), or its factory an argument seed.',
      style='bold yellow', markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


class Rate:
  """Transitions over the time since it was made."""

  def __init__(self) -> None:
    self._started = time.monotonic()
    self.transitions = 0

  @property
  def seconds(self) -> float:
    """Time since it was made."""
    return time.monotonic() - self._started

  @property
  def per_second(self) -> float:
    """Transitions per second."""
    return self.transitions / max(self.seconds, 1e-9)

  def __str__(self) -> str:
    return f'episodes, {self.per_second:,.0f} transitions/s'


@contextlib.contextmanager
def inhabited(directory: RunDirectory) -> Iterator[None]:
  """Has a run directory for itself, without what the dead left in it.

  Raises:
    RunIsLiveError: another process has it.
  """
  lock = directory.lock()
  try:
    directory.remove_aside()
    with temporaries.inside(directory.temporaries):
      yield
  finally:
    directory.remove_if_unused()
    os.close(lock)


def trouble_on(console: Console) -> registry.OnTrouble:
  """Shows the troubles of services on a console."""

  def show(message: Optional[str]) -> None:
    text = message or 'The teacher answers again.'
    console.print(
      text, style='yellow', markup=False, highlight=False, soft_wrap=True
    )

  return show


def run_command(
  console: Console, work: Callable[[], dict[str, Any]], goes_on: bool = False
) -> int:
  """Does a command's work and prints its result as one line of JSON.

  Args:
    console: where a person reads; the result goes to the standard output.
    work: the command.
    goes_on: whether it keeps what it has finished, for the same command again.

  Returns:
    The exit code; see `guard`.
  """
  return guard(console, lambda: print(json.dumps(work())), goes_on)


def guard(
  console: Console, work: Callable[[], None], goes_on: bool = False
) -> int:
  """Does a command's work and says what kept it from being done.

  Args:
    console: where a person reads.
    work: the command.
    goes_on: whether it keeps what it has finished, for the same command again.

  Returns:
    The exit code: 0 done, 1 failed on the way, 2 refused, 128 + N stopped by
    signal N.
  """
  try:
    with interruptible():
      work()
  except _FAILURES as error:
    console.print(
      f'[bold red]Failed:[/] {escape(str(error))}',
      highlight=False,
      soft_wrap=True,
    )
    if goes_on:
      same = 'same command goes on with what is missing.'
      may_help = isinstance(error, _PASSING) or getattr(error, 'passing', False)
      console.print(
        f'The {same}' if may_help else f'When that is mended, the {same}',
        soft_wrap=True,
      )
    return 1
  except (
    ConfigChangedError, DamagedFileError, OSError, RunIsLiveError, ValueError
  ) as error:  # fmt: skip
    text = f'[bold red]Refused:[/] {escape(command_line.describe(error))}'
    console.print(text, highlight=False, soft_wrap=True)
    return 2
  except (Interrupted, StoppedError) as error:
    console.print(f'Stopped by {error.signal.name}.')
    again = 'go on' if goes_on else 'begin anew'
    console.print(f'To {again}, give the same command again:')
    console.print(
      f'  {_typed()}', soft_wrap=True, markup=False, highlight=False
    )
    return 128 + error.signal
  return 0


def _typed() -> str:
  """The command of this process, as a person types it."""
  spec = getattr(sys.modules['__main__'], '__spec__', None)
  return isolation.command(spec.name if spec else sys.argv[0])
