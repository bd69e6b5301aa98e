"""From what a log holds to an episode, by the description of its system."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Optional

import numpy as np

from datasets import addresses
from datasets.formats.raw import RawEpisode
from datasets.types import Episode, EpisodeId
from datasets.validation import EpisodeRefused
from launchers.environments.described import System
from launchers.logs import values
from launchers.logs.columns import Columns

# The names under which these usually stand in logs.
_OBSERVATIONS = ('observations', 'observation', 'obs', 'observation.state')
_NEXT = ('next_observations', 'next_observation')
_ACTIONS = ('actions', 'action')
_REWARDS = ('rewards', 'reward', 'next.reward')
_TERMINATIONS = ('terminations', 'termination', 'terminals', 'terminated')
_TRUNCATIONS = ('truncations', 'truncation', 'timeouts', 'truncated')

UNKNOWN = 'unknown'
"""The policy of a log that does not say who acted."""


class _Rows(NamedTuple):
  """A log's rows, in its own units.

  Attributes:
    observations: [T, S] float64, before each step.
    actions: [T, A] float64.
    final: [S] float64, after the last step; None where nobody knows.
  """

  observations: np.ndarray
  actions: np.ndarray
  final: Optional[np.ndarray]


class Meaning:
  """What the logs of one system mean."""

  def __init__(self, system: System, columns: Columns):
    """Finds the reward's function, if there is one.

    Args:
      system: whose logs they are.
      columns: where each thing is in them.

    Raises:
      ValueError: there is no such function.
    """
    self._system = system
    self._columns = columns
    function = system.reward_function
    self._reward = addresses.find(function) if function else None

  def episode(self, raw: RawEpisode, identity: EpisodeId) -> Episode:
    """The episode that a log holds.

    Args:
      raw: as the file has it.
      identity: that it gets.

    Returns:
      The episode; its policy is UNKNOWN where the log names none.

    Raises:
      EpisodeRefused: it is not whole, or not of this system; names the row, the
        value, the bound.
    """
    task = self._system.task
    rows = self._rows(raw)
    logged = len(rows.actions)
    is_terminated = self._has_end('termination', raw, logged)
    is_cut = self._has_end('truncation', raw, logged)
    self._check_whole(logged, is_terminated or is_cut)
    seen = [*rows.observations]
    if rows.final is not None:
      seen.append(rows.final)
    elif is_terminated:
      seen.append(rows.observations[-1])  # Nothing bootstraps from it.
    steps = len(seen) - 1  # One less than logged, if nobody saw its outcome.
    if not steps:
      raise EpisodeRefused('it has one row, and nobody saw what came of it.')
    observations = values.in_units(
      np.stack(seen), task.observations, self._columns
    )  # [T + 1, S]
    actions = values.in_units(
      rows.actions[:steps], task.actions, self._columns
    )  # [T, A]
    values.check(observations, task.observations)
    values.check(actions, task.actions)
    discounts = np.ones(steps, np.float32)
    discounts[-1] = not is_terminated
    return Episode(
      identity,
      _policy(raw, self._columns.policy),
      observations.astype(np.float32),
      values.canonical(actions, task.actions),
      self._rewards(raw, observations, actions),
      discounts,
      task=task,
    )

  def _rows(self, raw: RawEpisode) -> _Rows:
    """What was seen and done; a last row without action is what came of it."""
    task = self._system.task
    seen, names = values.of_fields(
      raw, task.observations, _OBSERVATIONS, self._columns
    )
    done, _ = values.of_fields(raw, task.actions, _ACTIONS, self._columns)
    final = None
    if all(name in raw.final for name in names):
      final = np.concatenate(
        [np.ravel(raw.final[name]).astype(np.float64) for name in names]
      )
    after = next((name for name in _NEXT if name in raw.columns), None)
    if final is None and after is not None:
      final = values.of_column(raw, after)[-1]
    if final is None and len(seen) == len(done) + 1:
      seen, final = seen[:-1], seen[-1]
    if final is None and len(done) and np.isnan(done[-1]).all():
      seen, done, final = seen[:-1], done[:-1], seen[-1]
    if len(seen) != len(done):
      raise EpisodeRefused(
        f'it has {len(seen)} rows of observations and {len(done)} of actions.'
      )
    if not len(done):
      raise EpisodeRefused('it has no step.')
    return _Rows(seen, done, final)

  def _has_end(self, kind: str, raw: RawEpisode, steps: int) -> bool:
    """Whether the last of its steps is marked as an end of that kind."""
    usual = _TERMINATIONS if kind == 'termination' else _TRUNCATIONS
    name = getattr(self._columns, kind) or _first(usual, raw.columns)
    if name is None:
      return False
    marks = np.nan_to_num(values.of_column(raw, name)).any(axis=1)[:steps]
    early = np.flatnonzero(marks[:-1])
    if early.size:
      raise EpisodeRefused(
        f'row {early[0]} of it: {name!r} says that it ended there, but '
        f'{steps - 1 - early[0]} rows follow: give each episode its own.'
      )
    return bool(marks[-1])

  def _check_whole(self, steps: int, has_end: bool) -> None:
    most = self._system.episode_steps
    if steps > most:
      raise EpisodeRefused(
        f'it has {steps} steps, but the description cuts episodes at {most}.'
      )
    if steps < most and not has_end:
      raise EpisodeRefused(
        f'it has {steps} of {most} steps, and no column says that it ended '
        'there: log a termination or a truncation, and whole episodes only.'
      )

  def _rewards(
    self, raw: RawEpisode, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """[T] float32, from a column or by the description's function."""
    if self._reward is not None:
      task, steps = self._system.task, len(actions)
      seen = values.by_field(observations, task.observations)
      done = values.by_field(actions, task.actions)
      try:
        rewards = np.asarray(self._reward(seen, done), np.float64)
      except Exception as error:  # It is anyone's function.
        raise EpisodeRefused(
          f'{self._system.reward_function} failed: {error!r}'
        ) from error
      if rewards.shape != (steps,):
        raise EpisodeRefused(
          f'{self._system.reward_function} gave rewards of shape '
          f'{rewards.shape}; it must give {(steps,)}.'
        )
    else:
      wanted = self._columns.reward or self._system.reward_column
      name = wanted if wanted in raw.columns else _first(_REWARDS, raw.columns)
      rewards = values.of_column(raw, name or wanted)[: len(actions), 0]
    wrong = np.flatnonzero(~np.isfinite(rewards))
    if wrong.size:
      value = rewards[wrong[0]]
      raise EpisodeRefused(f'row {wrong[0]} of it: the reward is {value}.')
    return rewards.astype(np.float32)


def _policy(raw: RawEpisode, name: str) -> str:
  """Who acted, if the log says so."""
  if name not in raw.columns:
    return UNKNOWN
  names = {str(value) for value in np.ravel(raw.columns[name])} - {'', 'nan'}
  if len(names) > 1:
    raise EpisodeRefused(
      f'{len(names)} policies acted in it: {", ".join(sorted(names)[:3])}; one '
      'acts in an episode from its start to its end.'
    )
  return next(iter(names), UNKNOWN)


def _first(
  names: Sequence[str], columns: Mapping[str, np.ndarray]
) -> Optional[str]:
  return next((name for name in names if name in columns), None)
