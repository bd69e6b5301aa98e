"""One of the processes that record demonstrations."""

from collections.abc import Sequence
from typing import Any, Union

from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from datasets.validation import check_episode
from launchers.acting.behaviours import behaviour_of
from launchers.acting.demonstrating import (
  Attempt,
  DemonstrateConfig,
  Order,
  Recorded,
)
from launchers.acting.episodes import act, seed_of
from launchers.acting.outcomes import Failure
from launchers.acting.places import Places
from launchers.hosts import process
from teachers import registry
from teachers.base import Teacher
from teachers.checks import WrongTeacherError

_RUN = 'demonstrations'  # In the identity of what is recorded.


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
      demonstrator=(teacher.name, teacher.version) if config.labels else None,
      is_stopping=_outside['stopping'].is_set,
      random_share=config.random_share,
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
  return EpisodeId(_RUN, 0, 0, index)


def summary(episode: Episode) -> Recorded:
  """What the command's summary tells of an episode."""
  return Recorded(episode.episode_return, episode.num_steps)


def check_origin(config: DemonstrateConfig, episode: EpisodeId) -> None:
  """Refuses to record beside what something else has recorded.

  Raises:
    ValueError: the episode is none of this command.
  """
  if episode != identity(episode.episode):
    raise ValueError(
      f'{config.directory} holds {episode}, which this command did not record. '
      'Record in another --directory.'
    )


def check_version(
  config: DemonstrateConfig, teacher: Teacher, version: str
) -> None:
  """Refuses a teacher of another version than `version`.

  Raises:
    WrongTeacherError: names both versions and the remedy.
  """
  if version != teacher.version:
    raise WrongTeacherError(
      f'{config.directory} holds episodes of version {version}, '
      f'but the teacher {teacher.name} has version {teacher.version}. Record '
      'them in another --directory, or use the teacher of that version.'
    )
