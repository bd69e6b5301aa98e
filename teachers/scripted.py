"""Swing-ups by hand: energy shaping, then a linear regulator at the top.

--teacher teachers.scripted:make

Away from the top the pole is driven to E* = m g l, the energy at which it just
comes to rest upright. With its angle t from upright and its velocity w,
E = I w²/2 + m g l cos t, and a torque u or a cart's acceleration a change it by

  dE/dt = w u               so   u ~  (E* - E) w
  dE/dt = -m l a w cos t    so   a ~ -(E* - E) w cos t

Near the top a linear quadratic regulator takes over. Every constant of the
model is read from the suite's own, none is written here.
"""

from collections.abc import Callable
import hashlib
from typing import Any

from dm_control import suite
import numpy as np

from teachers.base import Task, Teacher
from teachers.checks import WrongTeacherError

_TOP = 0.5
"""Radians from upright within which the regulator may take over."""
_REACH = 2.0
"""The regulator's command, before it is clipped, at which it takes over."""
_DIFFERENCE = 1e-4
_MAX_ITERATIONS = 10_000


class _Swinger(Teacher):
  """What both tasks share: the model's constants and the regulator.

  All is computed in float64, in which no observation overflows.
  """

  def __init__(self, task: Task, pole: str, costs: tuple[float, ...]):
    """Reads the suite's model.

    Args:
      task: of the suite.
      pole: the name of the pole's body.
      costs: of the squares of positions and velocities, in the regulator; the
        square of the command, which is in [-1, 1], costs 1.
    """
    environment = suite.load(*task.name.split('-'))
    physics = environment.physics
    body = physics.model.body(pole)
    mass, length = float(body.mass[0]), float(body.ipos[2])
    self._moment = mass * length  # kg m
    self._inertia = float(body.inertia[1]) + mass * length**2  # About its joint
    self._gravity = -float(physics.model.opt.gravity[2])
    self._masses = float(physics.model.body_mass.sum())
    self._motor = float(physics.model.actuator_gear[0, 0])  # N or N m at 1
    substeps = round(environment.control_timestep() / physics.timestep())
    # Rounded, since versions must not depend on the machine's last bits.
    self._gains = regulator(*linearize(physics, substeps), costs).round(6)
    digest = hashlib.sha256(self._gains.tobytes()).hexdigest()
    name, version = f'scripted/{task.name}', f'1-{digest[:16]}'
    super().__init__(name, version, *task.spec, task)

  def _shortage(self, cosine: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """(E* - E) / E*, [B]."""
    kinetic = self._inertia * np.square(velocity) / 2
    return 1 - cosine - kinetic / (self._moment * self._gravity)

  def _choose(
    self, angle: np.ndarray, state: np.ndarray, swing: np.ndarray
  ) -> np.ndarray:
    """Of swing-up and regulator the one for each row.

    Args:
      angle: [B], radians from upright.
      state: [B, 2 Q], as in `linearize`, for the regulator.
      swing: [B], what the swing-up commands.

    Returns:
      [B, 1] float32 in [-1, 1].
    """
    hold = -state @ self._gains
    near = (np.abs(angle) < _TOP) & (np.abs(hold) < _REACH)
    command = np.clip(np.where(near, hold, swing), -1, 1)
    return command[:, None].astype(np.float32)


class Pendulum(_Swinger):
  """pendulum-swingup: a torque too weak to lift the pole at once."""

  _EXCESS = 0.05
  """Of E*, aimed at since friction takes some on the way."""
  _SHARPNESS = 10.0

  def __init__(self, task: Task):
    super().__init__(task, pole='pole', costs=(1.0, 0.1))

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`; observations are [cos t, sin t, w]."""
    cosine, sine, velocity = observations.astype(np.float64).T
    angle = np.arctan2(sine, cosine)
    shortage = self._shortage(cosine, velocity) + self._EXCESS
    swing = self._SHARPNESS * shortage * _direction(velocity)
    return self._choose(angle, np.stack([angle, velocity], axis=1), swing)


class Cartpole(_Swinger):
  """cartpole-swingup and -balance: a cart on a short rail."""

  _PUSH = 0.75
  """The largest acceleration for pumping, of what the motor can give."""
  _SHARPNESS = 2.0
  _STIFFNESS = 4.0  # 1/s², towards the middle of the rail
  _DAMPING = 1.0  # 1/s

  def __init__(self, task: Task):
    super().__init__(task, pole='pole_1', costs=(1.0, 1.0, 0.1, 0.1))

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`; observations are [x, cos t, sin t, v, w]."""
    x, cosine, sine, v, w = observations.astype(np.float64).T
    angle = np.arctan2(sine, cosine)
    pump = np.clip(self._SHARPNESS * self._shortage(cosine, w), -1, 1)
    largest = self._PUSH * self._motor / self._masses
    a = -largest * pump * _direction(w * cosine)
    a -= self._STIFFNESS * x + self._DAMPING * v
    swing = self._force(a, cosine, sine, w) / self._motor
    return self._choose(angle, np.stack([x, angle, v, w], axis=1), swing)

  def _force(
    self, a: np.ndarray, cosine: np.ndarray, sine: np.ndarray, w: np.ndarray
  ) -> np.ndarray:
    """What accelerates the cart by `a` though the pole pulls at it; [B]."""
    turn = self._moment * (self._gravity * sine - a * cosine) / self._inertia
    return self._masses * a + self._moment * (turn * cosine - w**2 * sine)


_TEACHERS: dict[str, Callable[[Task], Teacher]] = {
  'cartpole-balance': Cartpole,
  'cartpole-swingup': Cartpole,
  'pendulum-swingup': Pendulum,
}


def make(task: Task) -> Teacher:
  """The scripted teacher of a task; it gives actions.

  Raises:
    WrongTeacherError: there is none.
  """
  if task.name not in _TEACHERS:
    raise WrongTeacherError(
      f'No scripted teacher of {task.name}: there is one of '
      f'{", ".join(_TEACHERS)}. Choose one of these tasks or another teacher.'
    )
  return _TEACHERS[task.name](task)


def linearize(physics: Any, substeps: int) -> tuple[np.ndarray, np.ndarray]:
  """How a small state and a small command change one control step later.

  Args:
    physics: of a dm_control task with one command, unstable at the state 0.
    substeps: of a control step.

  Returns:
    A, [2 Q, 2 Q], and B, [2 Q], of x' = A x + B u; x has the Q positions, then
    the velocities.
  """
  size = physics.model.nq

  def after(state: np.ndarray, command: float) -> np.ndarray:
    with physics.reset_context():
      physics.data.qpos[:] = state[:size]
      physics.data.qvel[:] = state[size:]
    physics.set_control([command])
    physics.step(substeps)
    return np.concatenate([physics.data.qpos, physics.data.qvel])

  def slope(state: np.ndarray, command: float) -> np.ndarray:
    difference = after(state, command) - after(-state, -command)
    return difference / (2 * _DIFFERENCE)

  steps = _DIFFERENCE * np.eye(2 * size)
  a = np.stack([slope(step, 0) for step in steps], axis=1)
  return a, slope(np.zeros(2 * size), _DIFFERENCE)


def regulator(
  a: np.ndarray, b: np.ndarray, costs: tuple[float, ...]
) -> np.ndarray:
  """The gains k of u = -k x, which minimizes the sum of x' diag(costs) x + u².

  Args:
    a: [X, X].
    b: [X].
    costs: X of them.

  Returns:
    [X], by iterating the Riccati equation.

  Raises:
    ArithmeticError: it does not settle; no u may be able to stabilize x.
  """
  value = np.diag(costs)
  for _ in range(_MAX_ITERATIONS):
    gains = b @ value @ a / (1 + b @ value @ b)
    last = value
    value = np.diag(costs) + a.T @ value @ (a - np.outer(b, gains))
    if np.abs(value - last).max() < 1e-12 * np.abs(value).max():
      return gains
  raise ArithmeticError(
    f'The Riccati equation of A = {a.tolist()} and B = {b.tolist()} has not '
    f'settled after {_MAX_ITERATIONS} iterations: is it controllable?'
  )


def _direction(velocity: np.ndarray) -> np.ndarray:
  """Its sign; 1 at rest, where either way will do but none must be lost."""
  return np.where(velocity < 0, -1.0, 1.0)
