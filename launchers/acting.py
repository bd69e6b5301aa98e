"""Running one fixed policy for whole episodes: what happens once per step."""

from collections.abc import Sequence
from typing import NamedTuple

from dm_control.rl.control import PhysicsError
import numpy as np

from agents.policy import Policy
from launchers.environments import Environment

# The roles of the seeds: one number each, for ever.
ACT, EVALUATE = 1, 2

LANES = 8
"""Episodes that one process runs side by side."""


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


def run_episodes(
  environments: Sequence[Environment],
  policy: Policy,
  num_steps: int,
  noise: float,
  seeds: Sequence[np.random.SeedSequence],
) -> list[Rollout]:
  """Acts for at most `num_steps` with clip(policy(s) + N(0, noise), -1, 1).

  The episodes run side by side, so that the policy's weights are read once for
  all of them. The policy always sees LANES rows, whose results do not depend
  on each other: an episode is the same, bit for bit, whatever runs beside it.

  Args:
    environments: at least one for each seed.
    policy: acts in all episodes.
    num_steps: where an episode is cut.
    noise: standard deviation, in action units.
    seeds: one for each episode, at most LANES.

  Returns:
    The episodes, in the order of the seeds.
  """
  if len(seeds) > LANES or len(seeds) > len(environments):
    raise ValueError(
      f'{len(seeds)} episodes cannot run side by side in {len(environments)} '
      f'environments; at most {LANES} can.'
    )
  lanes = [
    _Lane(environment, num_steps, noise, seed)
    for environment, seed in zip(environments, seeds, strict=False)
  ]
  rows = np.zeros((LANES, policy.spec.observation_size), np.float32)
  for step in range(num_steps):
    running = [(i, lane) for i, lane in enumerate(lanes) if lane.is_running]
    if not running:
      break
    for i, lane in running:
      rows[i] = lane.observations[step]
    actions = policy(rows)  # [LANES, A]
    for i, lane in running:
      lane.step(step, actions[i])
  return [lane.rollout() for lane in lanes]


class _Lane:
  """One episode in the making.

  A simulation that blows up ends it with a NaN reward, so that the curator
  refuses it by name.
  """

  def __init__(
    self,
    environment: Environment,
    num_steps: int,
    noise: float,
    seed: np.random.SeedSequence,
  ):
    random = np.random.Generator(np.random.PCG64(seed))
    width, size = environment.spec
    self.observations = np.empty((num_steps + 1, width), np.float32)
    self.is_running = True
    self._environment = environment
    self._noise = noise
    self._proposed = np.empty((num_steps, size), np.float32)
    self._rewards = np.empty(num_steps, np.float32)
    self._discounts = np.empty(num_steps, np.float32)
    self._length = 0
    environment_seed = int(random.integers(2**32))
    # The executed actions; each starts as its noise.
    actions = random.standard_normal((num_steps, size), np.float32) * noise
    self._actions = actions.astype(np.float32, copy=False)
    environment.reset(environment_seed, self.observations[0])

  def step(self, step: int, proposed: np.ndarray) -> None:
    """Executes the policy's action at this step."""
    self._proposed[step] = proposed
    action = self._actions[step]
    action += proposed
    if self._noise:
      # Two ufuncs in place take a quarter of np.clip's time.
      np.minimum(action, 1.0, out=action)
      np.maximum(action, -1.0, out=action)
    self._length = step + 1
    observation = self.observations[step + 1]
    try:
      reward, discount, last = self._environment.step(action, observation)
    except PhysicsError:
      observation[:] = np.nan
      reward = discount = np.nan
      last = True
    self._rewards[step], self._discounts[step] = reward, discount
    self.is_running = not last

  def rollout(self) -> Rollout:
    """The episode as far as it went."""
    end = self._length
    return Rollout(
      self.observations[: end + 1],
      self._actions[:end],
      self._proposed[:end],
      self._rewards[:end],
      self._discounts[:end],
    )


def make_environments(task: str, episodes: int) -> list[Environment]:
  """As many environments as `run_episodes` can use for so many episodes."""
  return [Environment(task) for _ in range(min(LANES, max(1, episodes)))]


def evaluate(
  environments: Sequence[Environment],
  policy: Policy,
  num_steps: int,
  seeds: Sequence[np.random.SeedSequence],
) -> list[float]:
  """The returns of noise-free episodes, any number of them."""
  returns: list[float] = []
  for first in range(0, len(seeds), len(environments)):
    some = seeds[first : first + len(environments)]
    rollouts = run_episodes(environments, policy, num_steps, 0.0, some)
    returns += [float(r.rewards.sum(dtype=np.float64)) for r in rollouts]
  return returns
