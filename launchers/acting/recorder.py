"""One of the processes that record demonstrations."""

from collections.abc import Sequence
import dataclasses
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from datasets import bounds
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from datasets.validation import check_episode
from launchers.acting.behaviours import behaviour_of
from launchers.acting.episodes import act, seed_of
from launchers.acting.places import Places
from launchers.acting.rollouts import Failure
from launchers.hosts import process
from teachers import registry
from teachers.base import Teacher
from teachers.checks import WrongTeacherError


@dataclasses.dataclass(frozen=True)
class DemonstrateConfig:
  """Records episodes of a teacher in the format that runs read."""

  teacher: str
  """A shipped snapshot (TASK/TIER), the path of one, module:factory?args of
  your own Python, or grpc://host:port."""
  directory: Path
  """Where the episodes go, one file each."""
  task: str = ''
  """The task; empty: the one that the snapshot names."""
  episodes: int = 1_000
  """Number of episodes."""
  noise: float = 0.0
  """Standard deviation of the Gaussian noise on the teacher's actions, in
  action units ([-1, 1]); the teacher's own action is kept as the label."""
  episode_steps: int = 1_000
  """Environment steps in an episode, at most."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  max_refused_fraction: float = 0.25
  """Share of the episodes that may fail, because the environment raises or
  gives NaN, before the command does."""
  seed: int = 0
  """Seed of the initial states and of the noise."""
  processes: int = 1
  """Processes that record at the same time, each with its own teacher."""

  def __post_init__(self) -> None:
    """Refuses what cannot be recorded."""
    bounds.check(
      self, episodes=(1, 10_000_000), noise=(0, 10),
      episode_steps=(1, 10_000_000), action_bound=(bounds.ABOVE_0, 1e9),
      max_refused_fraction=(0, 100), seed=bounds.SEED, processes=(1, 1_000),
    )  # fmt: skip


class Order(NamedTuple):
  """What every process of this start must know.

  Attributes:
    config: of the command.
    task: its name.
    version: the teacher's, which each process must find the same.
  """

  config: DemonstrateConfig
  task: str
  version: str


class Recorded(NamedTuple):
  """What the summary tells of an episode."""

  episode_return: float
  num_steps: int


Attempt = tuple[int, int]
"""The index of an episode, and how often it has failed before."""


class _Recorder:
  """One process's teacher and environments."""

  def __init__(self, order: Order):
    config = order.config
    self._config = config
    self._places = Places(order.task, config.action_bound)
    self._task = self._places.description.task
    self._teacher = registry.load(
      config.teacher,
      self._task,
      'actions',
      on_trouble=_outside['troubles'].put,
      is_stopping=_outside['stopping'].is_set,
    )
    check_version(config, self._teacher, order.version)
    self._store = EpisodeStore(config.directory)

  def record(
    self, attempts: Sequence[Attempt]
  ) -> dict[int, Union[Recorded, Failure]]:
    config, teacher = self._config, self._teacher
    orders = [(identity(index), attempt) for index, attempt in attempts]
    acted = act(
      self._places.take(len(orders)),
      behaviour_of(teacher),
      [(i, seed_of(config.seed, i, attempt)) for i, attempt in orders],
      config.episode_steps,
      config.noise,
      digest=teacher.version,
      demonstrator=(teacher.name, teacher.version),
      is_stopping=_outside['stopping'].is_set,
    )
    results: dict[int, Union[Recorded, Failure]] = {}
    for (index, _), episode in zip(attempts, acted, strict=True):
      if isinstance(episode, Failure):
        results[index] = episode
        continue
      check_episode(episode, self._task.spec, task=self._task)
      self._store.commit(episode)
      results[index] = summary(self._store.read(identity(index)))
    return results


# Of a process: what its parent gave it, and the recorder of its only order.
_outside: dict[str, Any] = {}
_recorders: dict[Order, _Recorder] = {}


def enter(stopping: Any, troubles: Any) -> None:
  """Begins a process.

  Args:
    stopping: an event, set when nobody waits for the episodes any longer.
    troubles: a queue for what `OnTrouble` is told.
  """
  process.enter_node('recorder')
  _outside.update(stopping=stopping, troubles=troubles)


def record(
  order: Order, attempts: Sequence[Attempt]
) -> dict[int, Union[Recorded, Failure]]:
  """Records some episodes, at most LANES, in a process that was begun."""
  if order not in _recorders:
    _recorders[order] = _Recorder(order)
  return _recorders[order].record(attempts)


def identity(index: int) -> EpisodeId:
  """Of the demonstration of that index."""
  return EpisodeId('demonstrations', 0, 0, index)


def summary(episode: Episode) -> Recorded:
  """What the command's summary tells of an episode."""
  return Recorded(episode.episode_return, episode.num_steps)


def check_version(
  config: DemonstrateConfig, teacher: Teacher, version: str
) -> None:
  """Refuses a teacher of another version than `version`.

  Raises:
    WrongTeacherError: names both versions and the remedy.
  """
  if version != teacher.version:
    raise WrongTeacherError(
      f'{config.directory} holds episodes of version {version or "unknown"}, '
      f'but the teacher {teacher.name} has version {teacher.version}. Record '
      'them in another --directory, or use the teacher of that version.'
    )
