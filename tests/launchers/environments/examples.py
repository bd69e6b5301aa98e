"""Environments of a user's own: a point on a line, well made and badly made.

`point` is of Gymnasium, `pendulum` of dm_env; their arguments choose a fault.
"""

import os
import signal
import time
from typing import Any, Optional

import dm_env
from dm_env import specs
import gymnasium
from gymnasium import spaces
import numpy as np

_LEAKED: list[bytes] = []


class Point(gymnasium.Env):
  """Is to be kept near 0; beyond the edge the episode is terminated."""

  def __init__(
    self,
    edge: float = 3.0,
    limit: int = 1_000,
    raises: float = 0.0,
    nan: float = 0.0,
    delay: float = 0.0,
    leak: int = 0,
    fault: str = '',
  ):
    """Chooses its faults.

    Args:
      edge: where it is terminated.
      limit: steps after which it is truncated.
      raises: probability of an error at a step, drawn from its own generator.
      nan: probability of a NaN, likewise.
      delay: seconds that a step takes.
      leak: bytes that a step leaves behind.
      fault: another one; see `step` and `reset`.
    """
    self._edge, self._limit = edge, limit
    self._raises, self._nan = raises, nan
    self._delay, self._leak, self._fault = delay, leak, fault
    self.observation_space = spaces.Dict(
      {
        'velocity': spaces.Box(-np.inf, np.inf, (1,)),
        'gear': spaces.Discrete(3, start=-1),
        'body': spaces.Dict({'place': spaces.Box(-10, 10, ())}),
      }
    )
    high = np.inf if fault == 'unbounded' else 2.0
    self.action_space = spaces.Box(-high, high, (1,))
    self._state = np.zeros(2)

  def reset(self, *, seed: Optional[int] = None, options: Any = None) -> Any:
    if self._fault == 'unseeded':
      seed = None
    super().reset(seed=seed)
    self._steps = 0
    if self._fault == 'remembers':
      self._state = self._state / 2
    else:
      self._state = self.np_random.uniform(-1, 1, 2)
    if self._fault == 'reset':
      raise RuntimeError('no reset today')
    return self._observe(), {}

  def step(self, action: np.ndarray) -> Any:
    assert self.action_space.contains(action), action
    time.sleep(self._delay)
    _LEAKED.append(os.urandom(self._leak))
    self._steps += 1
    if self.np_random.random() < self._raises:
      raise RuntimeError('the motor is hot')
    place, velocity = self._state
    velocity += 0.1 * float(action[0])
    if self._fault == 'global':
      velocity += np.random.normal()
    self._state = np.array([place + 0.1 * velocity, velocity])
    reward: Any = float(np.exp(-(place**2)))
    if self.np_random.random() < self._nan:
      reward = np.nan
    if self._fault == 'rewards':
      reward = np.array([reward, 1.0])
    if self._fault == 'hang' and self._steps == 3:
      time.sleep(1e6)
    if self._fault == 'four':
      return self._observe(), reward, True, {}
    if self._fault == 'crash' and self._steps == 3:
      os.kill(os.getpid(), signal.SIGSEGV)
    terminated = abs(self._state[0]) > self._edge
    truncated = self._steps >= self._limit
    if self._fault == 'time limit':
      terminated = truncated = self._steps == 20
    return self._observe(), reward, terminated, truncated, {}

  def _observe(self) -> dict[str, Any]:
    place, velocity = self._state
    is_wide = self._fault == 'width' and self._steps == 5
    return {
      'velocity': np.full(2 if is_wide else 1, velocity, np.float32),
      'gear': int(np.sign(velocity)),
      'body': {'place': np.float32(place)},
    }


class Pendulum(dm_env.Environment):
  """Nested, scalar and integer observations, in the order of the spec."""

  def __init__(self, fault: str = '', limit: int = 50):
    self._fault, self._limit = fault, limit
    self._random = np.random.RandomState(0)

  def observation_spec(self) -> Any:
    return {
      'turns': specs.Array((), np.int32),
      'angle': {
        'sine': specs.BoundedArray((), np.float64, -1, 1),
        'cosine': specs.BoundedArray((1, 1), np.float64, -1, 1),
      },
      'pair': (specs.Array((2,), np.float32), specs.Array((), bool)),
    }

  def action_spec(self) -> Any:
    return {
      'torque': specs.BoundedArray((2,), np.float64, [-1, 0], [1, 10]),
      'brake': specs.BoundedArray((), np.float32, 0, 0.1),
    }

  def seed(self, seed: int) -> None:
    self._random.seed(seed)

  def reset(self) -> dm_env.TimeStep:
    self._steps, self._angle = 0, float(self._random.uniform(-3, 3))
    return dm_env.restart(self._observe())

  def step(self, action: Any) -> dm_env.TimeStep:
    for key, spec in self.action_spec().items():
      spec.validate(action[key])
    self._steps += 1
    self._angle += float(action['torque'][0]) / 10
    if self._steps == self._limit:
      if self._fault == 'restarts':
        return self.reset()
      return dm_env.truncation(1.0, self._observe())
    discount = 0.99 if self._fault == 'discount' else 1.0
    return dm_env.transition(1.0, self._observe(), discount)

  def _observe(self) -> dict[str, Any]:
    angle = self._angle
    return {
      'turns': np.int32(angle),
      'angle': {'sine': np.sin(angle), 'cosine': np.array([[np.cos(angle)]])},
      'pair': (np.array([angle, 7], np.float32), angle > 0),
    }


class _Unseeded(Pendulum):
  """Nothing seeds it in place."""

  seed = None  # type: ignore[assignment]


def point(**arguments: Any) -> Point:
  """--task tests.launchers.environments.examples:point?..."""
  return Point(**arguments)


def pendulum(**arguments: Any) -> Pendulum:
  """--task tests.launchers.environments.examples:pendulum?..."""
  return Pendulum(**arguments)


def unseeded() -> Pendulum:
  """Takes no seed in any way."""
  return _Unseeded()


def remade(seed: int) -> Pendulum:
  """Takes its seed when it is made."""
  environment = _Unseeded()
  environment._random.seed(seed)
  return environment
