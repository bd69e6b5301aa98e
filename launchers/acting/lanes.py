"""How episodes of one task take a step side by side."""

from collections.abc import Sequence
from typing import Union

from dm_control.rl.control import PhysicsError
import mujoco
import numpy as np

from launchers.acting.hosted import HostedEnvironment, HostedLanes
from launchers.acting.kernels import KERNELS, Kernel
from launchers.acting.outcomes import ActingStoppedError, IsStopping
from launchers.acting.separate import Lanes, SeparateLanes
from launchers.environments import suite
from launchers.environments.base import Environment, reason_of

Place = Union[Environment, HostedEnvironment]
"""Where an episode is acted: in this process, or in one of its own."""


def make_lanes(
  places: Sequence[Place],
  num_steps: int,
  is_stopping: IsStopping = lambda: False,
) -> Lanes:
  """The fastest way there is to step them; all give the same, bit for bit.

  Args:
    places: all of one task, and of one kind.
    num_steps: the most that an episode takes.
    is_stopping: asked amid an episode.
  """
  hosted = [p for p in places if isinstance(p, HostedEnvironment)]
  if hosted:
    return HostedLanes(hosted, is_stopping)
  environments = [p for p in places if not isinstance(p, HostedEnvironment)]
  # A subclass may step in a way of its own.
  plain = [e for e in environments if type(e) is suite.Environment]
  if len(plain) < len(places) or plain[0].task.name not in KERNELS:
    return SeparateLanes(environments, is_stopping)
  return FusedLanes(plain, num_steps, is_stopping)


_STEPS = 16  # Of one lane each, between two looks at whether to stop.


class FusedLanes:
  """Tasks that have a kernel: bare MuJoCo, and everything else at once.

  What a step leaves in MuJoCo is copied; the observations of all lanes are made
  of it together, the rewards at the end, of all steps together.
  """

  def __init__(
    self,
    environments: Sequence[suite.Environment],
    num_steps: int,
    is_stopping: IsStopping = lambda: False,
  ):
    self._environments = environments
    self._is_stopping = is_stopping
    physics = [e.wrapped.physics for e in environments]
    self._simulations = [(p.model.ptr, p.data.ptr) for p in physics]
    self._controls = [data.ctrl for _, data in self._simulations]
    model = self._simulations[0][0]
    self._kernel: Kernel = KERNELS[environments[0].task.name](model)
    views = [self._kernel.views(data) for _, data in self._simulations]
    self._views = [view for lane in views for view in lane]
    width = sum(map(len, views[0]))
    self._states = np.empty((num_steps, len(environments), width))
    self._is_rk4 = model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4
    self._substeps = round(
      environments[0].wrapped.control_timestep() / model.opt.timestep
    )
    self._warnings = [p.data.warning.number for p in physics]
    self._warned = np.zeros((len(physics), len(self._warnings[0])), np.int64)
    self.failures: dict[int, str] = {}

  def reset(self, lane: int, seed: int, observation: np.ndarray) -> None:
    """See `Lanes`."""
    self.failures.pop(lane, None)
    try:
      self._environments[lane].reset(seed, observation)
    except PhysicsError as error:
      self.failures[lane] = f'Its reset failed. {reason_of(error)}'
    self._warned[lane] = self._warnings[lane]

  def step(
    self,
    step: int,
    running: Sequence[int],
    actions: np.ndarray,
    observations: np.ndarray,
  ) -> list[int]:
    """See `Lanes`.

    Raises:
      ActingStoppedError: now and then; to ask costs a fifth of a step.
    """
    before = step * len(self._environments)
    for lane in running:
      if (before + lane) % _STEPS == 0 and self._is_stopping():
        raise ActingStoppedError
      self._controls[lane][:] = actions[lane]
      self._advance(*self._simulations[lane])
    states = self._states[step]  # [L, K]
    np.concatenate(self._views, out=states.reshape(-1))
    observations[: len(states)] = self._kernel.observe(states)
    warnings = np.concatenate(self._warnings).reshape(self._warned.shape)
    if not (warnings > self._warned).any():
      return []
    ended = []
    for lane in running:
      new = np.flatnonzero(warnings[lane] > self._warned[lane])
      if len(new):
        name = mujoco.mjtWarning(int(new[0])).name
        self.failures[lane] = f'Its step {step} failed. PhysicsError: {name}'
        ended.append(lane)
    return ended

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """See `Lanes`."""
    states = self._states[: len(actions), lane]
    rewards = self._kernel.reward(states, actions.astype(np.float64))
    discounts = np.ones(len(actions), np.float32)
    return rewards.astype(np.float32), discounts

  def _advance(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """What dm_control's `Physics.step` calls, in its order."""
    if self._is_rk4:
      mujoco.mj_step(model, data, self._substeps)
    else:
      mujoco.mj_step2(model, data)
      if self._substeps > 1:
        mujoco.mj_step(model, data, self._substeps - 1)
    mujoco.mj_step1(model, data)
