"""Orderings of several people, as a direction and a step.

teachers.preference:make?path=preferences.csv&bandwidth=0.5

Section A's second example of teacher gradients. A row of the CSV file says
that a person, in the state s, prefers the action b to the action a, and by how
much in numbers of their own:

  person,s0,s1,...,a0,...,b0,...,magnitude
  ann,0.1,-0.3,...,-1,...,0.5,...,3

An ordering of more actions is several rows. Row i holds the direction
u_i = (b_i - a_i) / |b_i - a_i|, and is heard at the state s and the action x
with

  w_i = max(0, 1 - d_i^2 / bandwidth^2)          near its own state only
  f_i = clip((b_i - x) . u_i / |b_i - a_i|, 0, 1)  and short of b_i only:
                                                 nothing is said of beyond
  m_i = magnitude_i / mean magnitude of its person

where d_i^2 is the mean over the state's features of their squared distance, in
units of their standard deviation over all rows. Person p says

  g_p = sum_i w_i f_i m_i u_i / sum_i w_i,  with confidence c_p = max_i w_i

and the advice is what all of them say, fading with the nearest of their rows:

  g = max_p c_p  *  sum_p c_p g_p / sum_p c_p

So nobody counts more for many rows or for generous numbers, people who
disagree make the step shorter, and where nobody has said anything it is 0.
"""

from collections.abc import Sequence
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from teachers import csv_table
from teachers.base import Task, Teacher

_FORMULA = 'preference-1'
_CHUNK = 2**20  # Pairs of a question and a row that are held at once.


class Preferences(NamedTuple):
  """What one person prefers, in N rows.

  Attributes:
    states: [N, S] float64.
    better: [N, A] float64, b.
    steps: [N, A] float64, b - a; none is 0.
    magnitudes: [N] float64, positive, in numbers of their own.
  """

  states: np.ndarray
  better: np.ndarray
  steps: np.ndarray
  magnitudes: np.ndarray


class PreferenceTeacher(Teacher):
  """People who have ordered actions; see the module."""

  def __init__(
    self,
    name: str,
    version: str,
    people: Sequence[Preferences],
    bandwidth: float,
  ):
    """Takes the preferences over.

    Args:
      name: see `Teacher`.
      version: changes with the preferences and with the bandwidth.
      people: one or more.
      bandwidth: distance at which a row falls silent, in standard deviations
        of the states.

    Raises:
      ValueError: there are no people, or the bandwidth is not positive.
    """
    if not people or not 0 < bandwidth < np.inf:
      raise ValueError(
        f'{name} has {len(people)} people and the bandwidth {bandwidth}; give '
        'at least one person, and a positive and finite bandwidth.'
      )
    sizes = people[0].states.shape[1], people[0].steps.shape[1]
    super().__init__(name, version, *sizes)
    deviation = np.concatenate([p.states for p in people]).std(axis=0)
    self._scale = np.where(deviation > 0, deviation, 1) * bandwidth
    self._scale *= np.sqrt(sizes[0])  # d^2 is a mean over features.
    self._people = [
      p._replace(
        states=p.states / self._scale,
        magnitudes=p.magnitudes / p.magnitudes.mean(),
      )
      for p in people
    ]
    self._rows = max(1, _CHUNK // max(len(p.magnitudes) for p in self._people))

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """See `Teacher.action_gradients`."""
    gradients = np.empty(actions.shape, np.float32)
    for first in range(0, len(actions), self._rows):
      part = slice(first, first + self._rows)
      gradients[part] = self._advise(observations[part], actions[part])
    return gradients

  def _advise(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """g, [B, A], of the questions [B, S] and [B, A]."""
    states = observations.astype(np.float64) / self._scale
    opinions = [_opinion(p, states, actions) for p in self._people]
    confidence = np.stack([c for c, _ in opinions])  # [P, B]
    said = sum(c[:, None] * direction for c, direction in opinions)  # [B, A]
    total = confidence.sum(axis=0)
    fading = confidence.max(axis=0) / np.where(total > 0, total, 1)
    return said * fading[:, None]


def _opinion(
  person: Preferences, states: np.ndarray, actions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """c_p, [B], and g_p, [B, A]; states in units of the bandwidth."""
  distance = (  # [B, N], squared
    np.square(states).sum(axis=1)[:, None]
    - 2 * states @ person.states.T
    + np.square(person.states).sum(axis=1)
  )
  weights = np.clip(1 - distance, 0, 1)  # [B, N]; rounding gives distance < 0
  squares = np.square(person.steps).sum(axis=1)  # [N]
  left = np.sum(person.better * person.steps, axis=1) - actions @ person.steps.T
  heard = weights * np.clip(left / squares, 0, 1)  # w_i f_i, [B, N]
  units = person.steps * (person.magnitudes / np.sqrt(squares))[:, None]
  total = weights.sum(axis=1, keepdims=True)
  return weights.max(axis=1), heard @ units / np.where(total > 0, total, 1)


def make(task: Task, path: str, bandwidth: float = 0.5) -> PreferenceTeacher:
  """Reads the preferences of some people.

  Args:
    task: to be taught.
    path: of the CSV file.
    bandwidth: distance at which a row falls silent, in standard deviations of
      the states.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it holds no preferences, or malformed ones; names the line.
  """
  rows: dict[str, list[list[float]]] = {}
  for row in csv_table.read(Path(path), columns(task)):
    rows.setdefault(row.text('person'), []).append(_numbers(row, task))
  if not rows:
    raise ValueError(f'{path} holds no preferences: add a row.')
  ends = np.cumsum([task.observation_size, task.action_size, task.action_size])
  people = []
  for _, numbers in sorted(rows.items()):
    states, worse, better, magnitudes = np.split(np.array(numbers), ends, 1)
    people.append(Preferences(states, better, better - worse, magnitudes[:, 0]))
  # Of the task no more than this, or the version would change with a release.
  about = task.name, task.observation_size, task.action_size
  settings = f'{_FORMULA} {about} {float(bandwidth)}\n'.encode()
  version = hashlib.sha256(settings + Path(path).read_bytes()).hexdigest()
  name = f'preference/{Path(path).stem}'
  return PreferenceTeacher(name, version, people, bandwidth)


def columns(task: Task) -> list[str]:
  """The columns of a task's preferences."""
  states = [f's{i}' for i in range(task.observation_size)]
  pairs = [f'{x}{i}' for x in 'ab' for i in range(task.action_size)]
  return ['person', *states, *pairs, 'magnitude']


def _numbers(row: csv_table.Row, task: Task) -> list[float]:
  """s, a, b and the magnitude of a row, checked."""
  states = [row.number(f's{i}') for i in range(task.observation_size)]
  worse, better = (
    [row.number(f'{x}{i}', -1, 1) for i in range(task.action_size)]
    for x in 'ab'
  )
  if worse == better:
    raise row.error('the actions a and b are the same, which is no preference')
  magnitude = row.number('magnitude')
  if magnitude <= 0:
    raise row.error(
      f'magnitude is {magnitude}; it must be above 0 (for the opposite '
      'preference, exchange a and b)'
    )
  return [*states, *worse, *better, magnitude]
