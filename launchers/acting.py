"""Running one fixed policy for one episode: what happens once per step."""

from typing import NamedTuple

from dm_control.rl.control import PhysicsError
import numpy as np

from agents.policy import Policy
from launchers.environments import Environment

# The roles of the seeds: one number each, for ever.
ACT, EVALUATE = 1, 2


class Rollout(NamedTuple):
  """One episode of T steps as it was acted.

  Attributes:
    observations: [T + 1, S] float32.
    actions: [T, A] float32, executed.
    proposed: [T, A] float32, the policy's own actions, without the noise.
    rewards: [T] float32.
    discounts: [T] float32.
  """

  observations: np.ndarray
  actions: np.ndarray
  proposed: np.ndarray
  rewards: np.ndarray
  discounts: np.ndarray


def seed_for(run: int, role: int, *indices: int) -> np.random.SeedSequence:
  """The seed of one episode, whichever process runs it and whenever."""
  return np.random.SeedSequence([run, role, *indices])


def run_episode(
  environment: Environment,
  policy: Policy,
  num_steps: int,
  noise: float,
  seed: np.random.SeedSequence,
) -> Rollout:
  """Acts for at most `num_steps` with clip(policy(s) + N(0, noise), -1, 1).

  A simulation that blows up ends the episode with a NaN reward, so that the
  curator refuses it by name.

  Returns:
    The episode; equal arguments give equal arrays, bit for bit.
  """
  random = np.random.Generator(np.random.PCG64(seed))
  size, width = environment.spec.action_size, environment.spec.observation_size
  observations = np.empty((num_steps + 1, width), np.float32)
  proposed = np.empty((num_steps, size), np.float32)
  rewards = np.empty(num_steps, np.float32)
  discounts = np.empty(num_steps, np.float32)
  environment_seed = int(random.integers(2**32))
  actions = random.standard_normal((num_steps, size), np.float32) * noise
  actions = actions.astype(np.float32, copy=False)

  environment.reset(environment_seed, observations[0])
  step = 0
  for step in range(num_steps):
    proposed[step] = policy(observations[step])
    action = actions[step]
    action += proposed[step]
    if noise:
      # Two ufuncs in place take a quarter of np.clip's time.
      np.minimum(action, 1.0, out=action)
      np.maximum(action, -1.0, out=action)
    try:
      reward, discount, last = environment.step(action, observations[step + 1])
    except PhysicsError:
      observations[step + 1] = rewards[step] = discounts[step] = np.nan
      break
    rewards[step], discounts[step] = reward, discount
    if last:
      break
  end = step + 1
  return Rollout(
    observations[: end + 1],
    actions[:end],
    proposed[:end],
    rewards[:end],
    discounts[:end],
  )
