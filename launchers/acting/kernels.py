"""What the six tasks read from MuJoCo, for many episodes and steps at once.

dm_control computes a task's observation and reward for one state at a time, of
a handful of numbers each: nearly all the time goes into calling NumPy. A kernel
does the same arithmetic, in the same order, on many states, so that the numbers
are the same, bit for bit. The tests hold it to that.
"""

import abc
from collections.abc import Callable

from dm_control.suite import cheetah, finger, pendulum, walker
from dm_control.utils import rewards
import mujoco
import numpy as np

_XX, _XZ, _ZZ = 0, 2, 8  # In a row of xmat.


class Kernel(abc.ABC):
  """The observation and the reward of one task.

  Attributes:
    columns: where in a state the observation is, in its order.
  """

  columns: np.ndarray

  @abc.abstractmethod
  def views(self, data: mujoco.MjData) -> list[np.ndarray]:
    """What makes up a state [K]: one-axis arrays that MuJoCo writes itself."""

  def observe(self, states: np.ndarray) -> np.ndarray:
    """[L, K] to [L, S], float64."""
    return states.take(self.columns, axis=1)

  @abc.abstractmethod
  def reward(self, states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """[N, K] and [N, A], float64, to [N]: the reward for coming there so."""


class _Cartpole(Kernel):
  """Of one pole; balance and swingup differ in their start only."""

  def __init__(self, model: mujoco.MjModel):
    self.columns = np.array([0, 2 + _ZZ, 2 + _XZ, 11, 12])
    self._pole = model.body('pole_1').id

  def views(self, data: mujoco.MjData) -> list[np.ndarray]:
    return [data.qpos, data.xmat[self._pole], data.qvel]

  def reward(self, states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    upright = (states[:, 2 + _ZZ] + 1) / 2
    centered = (1 + _tolerance_of_scalars(states[:, 0], margin=2)) / 2
    control = rewards.tolerance(
      controls[:, 0], margin=1, value_at_margin=0, sigmoid='quadratic'
    )
    velocity = rewards.tolerance(states[:, 12], margin=5)
    small_control, small_velocity = (4 + control) / 5, (1 + velocity) / 2
    return upright * small_control * small_velocity * centered


class _Finger(Kernel):
  """Spin."""

  _SENSORS = (
    'proximal', 'distal', 'tip', 'spinner',
    'proximal_velocity', 'distal_velocity', 'hinge_velocity',
    'touchtop', 'touchbottom',
  )  # fmt: skip

  def __init__(self, model: mujoco.MjModel):
    at = {name: int(model.sensor(name).adr[0]) for name in self._SENSORS}
    tip, spinner = at['tip'], at['spinner']
    names = ('proximal_velocity', 'distal_velocity', 'hinge_velocity')
    touch = [at['touchtop'], at['touchbottom']]
    self.columns = np.array(
      [
        at['proximal'],
        at['distal'],
        tip,
        tip + 2,
        *(at[n] for n in names),
        *touch,
      ]
    )
    self._spinner = [spinner, spinner + 2]
    self._hinge_velocity = at['hinge_velocity']

  def views(self, data: mujoco.MjData) -> list[np.ndarray]:
    return [data.sensordata]

  def observe(self, states: np.ndarray) -> np.ndarray:
    observations = super().observe(states)
    observations[:, 2:4] -= states[:, self._spinner]
    touch = observations[:, 7:]
    np.log1p(touch, out=touch)
    return observations

  def reward(self, states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    speeds = states[:, self._hinge_velocity]
    return (speeds <= -finger._SPIN_VELOCITY).astype(np.float64)


class _Cheetah(Kernel):
  """Run."""

  def __init__(self, model: mujoco.MjModel):
    self._sensor = int(model.sensor('torso_subtreelinvel').adr[0])
    self.columns = np.arange(1, model.nq + model.nv)

  def views(self, data: mujoco.MjData) -> list[np.ndarray]:
    speed = data.sensordata[self._sensor : self._sensor + 1]
    return [data.qpos, data.qvel, speed]

  def reward(self, states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    return rewards.tolerance(
      states[:, -1],
      bounds=(cheetah._RUN_SPEED, np.inf),
      margin=cheetah._RUN_SPEED,
      value_at_margin=0,
      sigmoid='linear',
    )


class _Walker(Kernel):
  """Run."""

  def __init__(self, model: mujoco.MjModel):
    self._torso = model.body('torso').id
    self._sensor = int(model.sensor('torso_subtreelinvel').adr[0])
    bodies = model.nbody - 1
    self._height = 9 * bodies
    orientations = [9 * i + j for i in range(bodies) for j in (_XX, _XZ)]
    rest = range(self._height, self._height + 1 + model.nv)
    self.columns = np.array([*orientations, *rest])

  def views(self, data: mujoco.MjData) -> list[np.ndarray]:
    height = data.xpos[self._torso, 2:]
    speed = data.sensordata[self._sensor : self._sensor + 1]
    return [data.xmat[1:].reshape(-1), height, data.qvel, speed]

  def reward(self, states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    stand, run = walker._STAND_HEIGHT, walker._RUN_SPEED
    standing = _tolerance_of_scalars(
      states[:, self._height], bounds=(stand, np.inf), margin=stand / 2
    )
    torso = 9 * (self._torso - 1)
    upright = (1 + states[:, torso + _ZZ]) / 2
    stand_reward = (3 * standing + upright) / 4
    move_reward = rewards.tolerance(
      states[:, -1],
      bounds=(run, np.inf),
      margin=run / 2,
      value_at_margin=0.5,
      sigmoid='linear',
    )
    return stand_reward * (5 * move_reward + 1) / 6


class _Pendulum(Kernel):
  """Swing-up."""

  def __init__(self, model: mujoco.MjModel):
    self.columns = np.array([_ZZ, _XZ, 9])
    self._pole = model.body('pole').id

  def views(self, data: mujoco.MjData) -> list[np.ndarray]:
    return [data.xmat[self._pole], data.qvel]

  def reward(self, states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    return rewards.tolerance(states[:, _ZZ], (pendulum._COSINE_BOUND, 1))


def _tolerance_of_scalars(
  values: np.ndarray,
  bounds: tuple[float, float] = (0.0, 0.0),
  margin: float = 0.0,
) -> np.ndarray:
  """`rewards.tolerance` as it is for each value by itself, [N] to [N].

  NumPy squares an array by multiplication but a scalar by the C library's
  pow, which differs in the last bit now and then.
  """
  lower, upper = bounds
  distance = np.where(values < lower, lower - values, values - upper) / margin
  scale = np.sqrt(-2 * np.log(rewards._DEFAULT_VALUE_AT_MARGIN))
  squares = np.array([x**2.0 for x in (distance * scale).tolist()])
  is_within = np.logical_and(lower <= values, values <= upper)
  return np.where(is_within, 1.0, np.exp(-0.5 * squares))


KERNELS: dict[str, Callable[[mujoco.MjModel], Kernel]] = {
  'cartpole-balance': _Cartpole,
  'cartpole-swingup': _Cartpole,
  'finger-spin': _Finger,
  'cheetah-run': _Cheetah,
  'walker-run': _Walker,
  'pendulum-swingup': _Pendulum,
}
"""By the task's name, written with a hyphen."""
