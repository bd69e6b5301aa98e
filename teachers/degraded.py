"""Any teacher made worse, for studies of sub-optimal advice.

--teacher 'teachers.degraded:make?teacher=cartpole-swingup/expert&noise=0.3'

Advice is stored and must never depend on the batch that it was asked in, so no
stream of random numbers will do: noise and wrong sides are functions of the
row, by a hash of its float32 bytes and the seed (FNV-1a over the row's words,
then the finalizer of SplitMix64, whose outputs pass for independent uniforms).
Rows that are equal get equal noise; -0.0 counts as 0.0. An action's noise is of
its observation, a gradient's of its observation and action.
"""

import hashlib
import json
import time

import numpy as np

from teachers import checks, registry
from teachers.base import Kind, Task, Teacher

_LARGEST = float(np.finfo(np.float32).max)
_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Degraded(Teacher):
  """A teacher with noise, with delay, or wrong on a part of the states.

  Attributes:
    teacher: the one that is made worse.
    noise: the standard deviation of Gaussian noise in each dimension; of an
      action in its units, of a gradient relative to its norm.
    delay: seconds that each call takes longer.
    wrong_side: the part, from 0 to 1, of the states on which the advice is the
      opposite: the action or the gradient, negated.
    seed: of the noise and of the wrong states.
  """

  def __init__(
    self,
    teacher: Teacher,
    *,
    noise: float = 0.0,
    delay: float = 0.0,
    wrong_side: float = 0.0,
    seed: int = 0,
  ):
    """Checks the settings.

    Raises:
      ValueError: a setting is out of its range.
    """
    for name, value, most in (
      ('noise', noise, np.inf),
      ('delay', delay, 3600),
      ('wrong_side', wrong_side, 1),
    ):
      # Whatever a person wrote in an address comes here.
      number = isinstance(value, (int, float)) and np.isfinite(value)
      if not number or not 0 <= value <= most:
        raise ValueError(
          f'{name} is {value!r}; it must be a number from 0 to {most}.'
        )
    if not isinstance(seed, int) or not 0 <= seed < 2**64:
      raise ValueError(f'seed is {seed!r}; it must be from 0 to 2^64 - 1.')
    self.teacher = teacher
    self.noise = noise
    self.delay = delay
    self.wrong_side = wrong_side
    self.seed = seed
    # Delay apart, since it does not change what is said.
    settings = [teacher.version, float(noise), float(wrong_side), seed]
    super().__init__(
      f'{teacher.name}, degraded (noise={noise}, delay={delay}, '
      f'wrong_side={wrong_side}, seed={seed})',
      hashlib.sha256(json.dumps(settings).encode()).hexdigest(),
      teacher.observation_size,
      teacher.action_size,
      teacher.task,
    )

  @property
  def gives(self) -> frozenset[Kind]:
    """What the teacher gives."""
    return self.teacher.gives

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`."""
    if 'actions' not in self.gives:
      return super().actions(observations)
    time.sleep(self.delay)
    actions = self._sides(observations) * checks.ask_actions(
      self.teacher, observations
    )
    noise = self._noise(observations)
    return np.clip(actions + noise, -1, 1).astype(np.float32)

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """See `Teacher.action_gradients`."""
    if 'action_gradients' not in self.gives:
      return super().action_gradients(observations, actions)
    time.sleep(self.delay)
    gradients = self._sides(observations) * checks.ask_action_gradients(
      self.teacher, observations, actions
    )
    norms = np.linalg.norm(gradients.astype(np.float64), axis=1, keepdims=True)
    rows = np.concatenate([observations, actions], axis=1)
    noisy = gradients + norms * self._noise(rows)
    return np.clip(noisy, -_LARGEST, _LARGEST).astype(np.float32)

  def _sides(self, observations: np.ndarray) -> np.ndarray:
    """[B, 1], -1 where the advice is the opposite; of the state alone."""
    wrong = uniforms(observations, 1, self.seed) < self.wrong_side
    return np.where(wrong, -1, 1).astype(np.float32)

  def _noise(self, rows: np.ndarray) -> np.ndarray:
    """[B, A] float64, Gaussian, by Box and Muller's formula."""
    size = self.action_size
    # The first number of the row has decided its side.
    u = uniforms(rows, 1 + 2 * size, self.seed)[:, 1:]
    radius = np.sqrt(-2 * np.log1p(-u[:, :size]))
    return self.noise * radius * np.cos(2 * np.pi * u[:, size:])


def make(
  task: Task,
  teacher: str,
  noise: float = 0.0,
  delay: float = 0.0,
  wrong_side: float = 0.0,
  seed: int = 0,
) -> Degraded:
  """A worse one of the teacher at an address; see `Degraded`.

  Raises:
    FileNotFoundError, ValueError: there is no such teacher of the task, or a
      setting is out of its range.
  """
  return Degraded(
    registry.load(teacher, task),
    noise=noise,
    delay=delay,
    wrong_side=wrong_side,
    seed=seed,
  )


def uniforms(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
  """Numbers that depend on a row's contents and the seed, and nothing else.

  Args:
    rows: [B, N] float32.
    count: C, numbers for each row.
    seed: another one gives other numbers.

  Returns:
    [B, C] float64, as if uniform in [0, 1).
  """
  words = np.ascontiguousarray(rows + np.float32(0), np.float32).view(np.uint32)
  state = np.full(len(rows), _mix(np.array([seed], np.uint64))[0])
  state ^= _FNV_OFFSET
  for column in words.T:
    state = (state ^ column) * _FNV_PRIME
  counters = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
  bits = _mix(_mix(state)[:, None] + counters)  # [B, C]
  return (bits >> np.uint64(11)) * 2.0**-53


def _mix(bits: np.ndarray) -> np.ndarray:
  bits = (bits ^ (bits >> np.uint64(30))) * _MIX[0]
  bits = (bits ^ (bits >> np.uint64(27))) * _MIX[1]
  return bits ^ (bits >> np.uint64(31))
