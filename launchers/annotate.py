"""Adds a teacher's actions: python -m launchers.annotate DATA --teacher T.

Episodes are immutable, so annotated copies go to another directory. The same
command again asks for what is missing. Its last line is JSON.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent import futures
import dataclasses
import functools
from pathlib import Path
import sys
import threading
from typing import Any, Optional

import numpy as np
from rich.console import Console
import tyro

from datasets import bounds
from datasets.packed import digest_of_episode
from datasets.store import EpisodeStore
from datasets.types import Annotation, Episode, EpisodeId
from datasets.validation import OneTask, check_episode, check_task
from launchers import command_line, options
from launchers.display import progress_bar
from launchers.hosts import process
from teachers import registry
from teachers.base import Task, Teacher
from teachers.checks import WrongTeacherError, ask_actions

_MAX_ROWS = 8_192


@dataclasses.dataclass(frozen=True)
class AnnotateConfig:
  """Writes copies of episodes that carry a teacher's actions.

  A copy carries the advice of one teacher: what another one said of an episode
  in DATA is replaced in the copy. DATA itself is never changed.
  """

  data: tyro.conf.Positional[Path]
  """A directory of episodes, for instance runs/NAME/cycles/001/episodes."""
  teacher: str
  """A shipped snapshot (TASK/TIER), the path of one, module:factory?args of
  your own Python, or grpc://host:port."""
  output: Optional[Path] = None
  """Where the copies go; None: DATA-annotated."""
  task: str = ''
  """The task; empty: the one that the episodes name. Older ones name none, and
  module:factory needs to be told one."""
  batch: int = _MAX_ROWS
  """Most observations in a request, up to 8192; whole episodes as they fit."""
  requests: int = 4
  """Requests in flight at the same time."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(self, batch=(1, _MAX_ROWS), requests=(1, 64))

  @property
  def target(self) -> Path:
    """Where the copies go.

    Raises:
      ValueError: they would replace what they are copies of.
    """
    data = self.data.resolve()
    target = self.output or data.with_name(f'{data.name}-annotated')
    if target.resolve() == data:
      raise ValueError(
        f'{target} holds the episodes to annotate, which stay as they are. '
        'Choose another --output.'
      )
    return target


def annotate(config: AnnotateConfig, console: Console) -> dict[str, Any]:
  """Annotates what is not annotated yet.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types.

  Raises:
    ValueError: the options, the teacher or the episodes do not fit.
    OSError: something cannot be read or written.
    files.DamagedFileError: an episode of DATA is torn or altered.
  """
  source, digests, target = _open(config)
  (first,) = source.checked(OneTask(), [min(digests)])
  task = _task(config, first)
  stopping = threading.Event()
  teacher = registry.load(
    config.teacher,
    task,
    'actions',
    on_trouble=options.trouble_on(console),
    is_stopping=stopping.is_set,
  )
  store = EpisodeStore(target)
  for path, reason in store.quarantine():
    console.print(
      f'Set aside {path}: {reason}; it is asked for again.', soft_wrap=True
    )
  done = _survey(store, source, digests, teacher)
  missing = source.checked(
    functools.partial(_check, task), digests.keys() - done.keys()
  )
  rate = options.Rate()
  with progress_bar(console) as progress:
    bar = progress.add_task(
      f'annotating {config.data.name}',
      completed=len(done),
      total=len(digests),
      unit='episodes',
    )
    ask = functools.partial(_ask, teacher, store, config.batch)
    groups = _groups(missing, config.batch)
    for episodes in _in_flight(ask, groups, config.requests, stopping):
      rate.transitions += sum(episode.num_steps for episode in episodes)
      progress.update(bar, advance=len(episodes), unit=str(rate))
  seconds, per_second = rate.seconds, rate.per_second
  console.print(f'{target}: {len(digests)} {rate}', soft_wrap=True)
  return {
    'episodes': len(digests),
    'transitions': sum(done.values()) + rate.transitions,
    'asked': rate.transitions,
    'seconds': round(seconds, 3),
    'transitions_per_second': round(per_second, 1),
    'teacher': teacher.name,
    'version': teacher.version,
    'output': str(target),
  }


def _open(
  config: AnnotateConfig,
) -> tuple[EpisodeStore, dict[EpisodeId, str], Path]:
  """What is annotated, its digests, and where to; refuses bad options."""
  target = config.target
  source = EpisodeStore.open(config.data)
  digests = source.digests()
  if not digests:
    raise ValueError(f'{config.data} holds no episodes.')
  return source, digests, target


def _task(config: AnnotateConfig, first: Episode) -> Task:
  """The task of the episodes, of which `first` is one; '' if nobody names it.

  Raises:
    ValueError: the person names another task than the episode.
  """
  name = config.task.replace(':', '-')
  if first.task is not None:
    named = Task(name, *first.task.spec)
    check_task(first, named)
    return first.task
  if registry.is_python(config.teacher):
    name = options.task_of(config.teacher, name)
  return Task(name, first.observations.shape[1], first.actions.shape[1])


def _survey(
  store: EpisodeStore,
  source: EpisodeStore,
  digests: Mapping[EpisodeId, str],
  teacher: Teacher,
) -> dict[EpisodeId, int]:
  """The lengths of the episodes that this teacher has annotated already."""
  done = {}
  for kept in store:  # Of other data as well: one directory, one teacher.
    identity = kept.identity
    version = kept.annotation.version if kept.annotation else 'unknown'
    if version != teacher.version:
      raise WrongTeacherError(
        f'{store.directory} holds advice of version {version}, but the teacher '
        f'{teacher.name} has version {teacher.version}. Choose another '
        '--output, or use the teacher of that version.'
      )
    if identity not in digests:
      continue
    original = kept._replace(annotation=source.read(identity).annotation)
    if digest_of_episode(original) != digests[identity]:
      raise ValueError(
        f'{store.directory} holds a copy of another {identity} than that in '
        f'{source.directory}. Choose another --output.'
      )
    done[identity] = kept.num_steps
  return done


def _check(task: Task, episode: Episode) -> None:
  check_episode(episode, task.spec)
  check_task(episode, task)


def _groups(episodes: Iterable[Episode], batch: int) -> Iterator[list[Episode]]:
  """Whole episodes, of at most `batch` steps together or one by itself."""
  group: list[Episode] = []
  rows = 0
  for episode in episodes:
    if group and rows + episode.num_steps > batch:
      yield group
      group, rows = [], 0
    group.append(episode)
    rows += episode.num_steps
  if group:
    yield group


def _ask(
  teacher: Teacher, store: EpisodeStore, batch: int, episodes: list[Episode]
) -> list[Episode]:
  """Asks for some episodes' advice and commits their copies; any thread."""
  rows = np.concatenate([e.observations[:-1] for e in episodes])
  actions = np.concatenate([
    ask_actions(teacher, rows[i : i + batch])
    for i in range(0, len(rows), batch)
  ])  # fmt: skip
  ends = np.cumsum([episode.num_steps for episode in episodes])[:-1]
  for episode, own in zip(episodes, np.split(actions, ends), strict=True):
    annotation = Annotation(teacher.name, teacher.version, own)
    store.commit(episode._replace(annotation=annotation))
  return episodes


def _in_flight(
  ask: Callable[[list[Episode]], list[Episode]],
  groups: Iterable[list[Episode]],
  requests: int,
  stopping: threading.Event,
) -> Iterator[list[Episode]]:
  """Asks for every group, several at a time; yields those that are done."""
  pending: set[futures.Future[list[Episode]]] = set()
  with futures.ThreadPoolExecutor(requests) as pool:
    try:
      for group in groups:
        pending.add(pool.submit(ask, group))
        if len(pending) > requests:  # One waits, so that no thread does.
          done, pending = futures.wait(
            pending, return_when=futures.FIRST_COMPLETED
          )
          yield from (job.result() for job in done)
      yield from (job.result() for job in futures.as_completed(pending))
    except BaseException:
      stopping.set()
      pool.shutdown(cancel_futures=True)
      raise


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(AnnotateConfig, 'launchers.annotate')
    return annotate(config, console)

  return options.run_command(console, work, goes_on=True)


if __name__ == '__main__':
  sys.exit(main())
