"""How episodes of one task take a step side by side."""

from collections.abc import Sequence
from typing import Protocol

from dm_control.rl.control import PhysicsError
import mujoco
import numpy as np

from launchers.acting.kernels import KERNELS, Kernel
from launchers.environments.suite import Environment


class Lanes(Protocol):
  """Episodes side by side; none depends on the others.

  The loop that calls it:

      for lane, seed in enumerate(seeds):
        lanes.reset(lane, seed, observations[0, lane])
      for step in range(num_steps):
        ended = lanes.step(step, running, actions[step], observations[step + 1])
      rewards, discounts = lanes.outcome(lane, actions[:length, lane])

  A simulation that blows up ends its episode with a NaN reward, so that the
  curator refuses it by name.
  """

  def reset(self, lane: int, seed: int, observation: np.ndarray) -> None:
    """Starts an episode; writes its first observation [S]."""

  def step(
    self,
    step: int,
    running: Sequence[int],
    actions: np.ndarray,
    observations: np.ndarray,
  ) -> list[int]:
    """Takes a step in the lanes that are running.

    Args:
      step: steps that they have taken before.
      running: their numbers.
      actions: [L, A] float32, a row for each lane, running or not.
      observations: [L, S] float32; the rows of the running are written.

    Returns:
      Those whose episode has ended with it.
    """

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Rewards and discounts [T] of the episode of the `actions` [T, A]."""


def make_lanes(environments: Sequence[Environment], num_steps: int) -> Lanes:
  """The fastest way there is to step them; all give the same, bit for bit."""
  kernel = KERNELS.get(environments[0].task.name)
  # A subclass may step in a way of its own.
  if kernel is None or any(type(e) is not Environment for e in environments):
    return SeparateLanes(environments)
  return FusedLanes(environments, num_steps)


class SeparateLanes:
  """Any environments, which step one after the other."""

  def __init__(self, environments: Sequence[Environment]):
    self._environments = environments
    self._outcomes: list[list[tuple[float, float]]] = [[] for _ in environments]

  def reset(self, lane: int, seed: int, observation: np.ndarray) -> None:
    """See `Lanes`."""
    self._outcomes[lane].clear()
    self._environments[lane].reset(seed, observation)

  def step(
    self,
    step: int,
    running: Sequence[int],
    actions: np.ndarray,
    observations: np.ndarray,
  ) -> list[int]:
    """See `Lanes`."""
    del step
    ended = []
    for lane in running:
      try:
        reward, discount, last = self._environments[lane].step(
          actions[lane], observations[lane]
        )
      except PhysicsError:
        observations[lane] = np.nan
        reward, discount, last = np.nan, np.nan, True
      self._outcomes[lane].append((reward, discount))
      if last:
        ended.append(lane)
    return ended

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """See `Lanes`."""
    del actions  # The environments have seen them.
    rewards, discounts = np.array(self._outcomes[lane], np.float32).T
    return rewards, discounts


class FusedLanes:
  """Tasks that have a kernel: bare MuJoCo, and everything else at once.

  What a step leaves in MuJoCo is copied; the observations of all lanes are made
  of it together, the rewards at the end, of all steps together.
  """

  def __init__(self, environments: Sequence[Environment], num_steps: int):
    self._environments = environments
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
    self._broken: set[int] = set()

  def reset(self, lane: int, seed: int, observation: np.ndarray) -> None:
    """See `Lanes`."""
    self._broken.discard(lane)
    self._environments[lane].reset(seed, observation)
    self._warned[lane] = self._warnings[lane]

  def step(
    self,
    step: int,
    running: Sequence[int],
    actions: np.ndarray,
    observations: np.ndarray,
  ) -> list[int]:
    """See `Lanes`."""
    for lane in running:
      self._controls[lane][:] = actions[lane]
      self._advance(*self._simulations[lane])
    states = self._states[step]  # [L, K]
    np.concatenate(self._views, out=states.reshape(-1))
    observations[: len(states)] = self._kernel.observe(states)
    warnings = np.concatenate(self._warnings).reshape(self._warned.shape)
    if not (warnings > self._warned).any():
      return []
    broken = (warnings > self._warned).any(1)
    ended = [lane for lane in running if broken[lane]]
    observations[ended] = np.nan
    self._broken.update(ended)
    return ended

  def outcome(
    self, lane: int, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """See `Lanes`."""
    states = self._states[: len(actions), lane]
    rewards = self._kernel.reward(states, actions.astype(np.float64))
    discounts = np.ones(len(actions), np.float32)
    if lane in self._broken:
      rewards[-1] = discounts[-1] = np.nan
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
