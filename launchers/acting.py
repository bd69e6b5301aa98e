"""Running one fixed policy for whole episodes: what happens once per step."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dm_control.rl.control import PhysicsError
import numpy as np

from launchers.environments import Environment

# The roles of the seeds: one number each, for ever.
ACT, EVALUATE = 1, 2

LANES = 8
"""Episodes that one process runs side by side."""

Behaviour = Callable[[np.ndarray], np.ndarray]
"""What acts: [LANES, S] float32 to [LANES, A] float32 in [-1, 1], each row by
itself. A Policy, for instance, or a teacher's `actions`."""


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
  behaviour: Behaviour,
  num_steps: int,
  noise: float,
  seeds: Sequence[np.random.SeedSequence],
) -> list[Rollout]:
  """Acts at most `num_steps` with clip(behaviour(s) + N(0, noise), -1, 1).

  The episodes run side by side, so that a policy's weights are read once for
  all of them. The behaviour always sees LANES rows, whose results do not depend
  on each other: an episode is the same, bit for bit, whatever runs beside it.

  Args:
    environments: at least one for each seed, all of one task.
    behaviour: acts in all episodes.
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
    _Lane(environment, num_steps, seed)
    for environment, seed in zip(environments, seeds, strict=False)
  ]
  width, size = environments[0].spec
  observations = np.zeros((num_steps + 1, LANES, width), np.float32)
  proposed = np.empty((num_steps, LANES, size), np.float32)
  actions = np.zeros((num_steps, LANES, size), np.float32)
  for i, lane in enumerate(lanes):
    actions[:, i] = noise * lane.standard_noise(size)
    lane.reset(observations[0, i])
  _step(lanes, behaviour, observations, proposed, actions, noise > 0)
  return [
    Rollout(
      observations[: lane.length + 1, i].copy(),
      actions[: lane.length, i].copy(),
      proposed[: lane.length, i].copy(),
      np.array(lane.rewards, np.float32),
      np.array(lane.discounts, np.float32),
    )
    for i, lane in enumerate(lanes)
  ]


def _step(
  lanes: 'Sequence[_Lane]',
  behaviour: Behaviour,
  observations: np.ndarray,
  proposed: np.ndarray,
  actions: np.ndarray,
  is_noisy: bool,
) -> None:
  """Steps the lanes until all have ended; fills the arrays in place.

  Args:
    lanes: at most LANES episodes, already reset.
    behaviour: acts in all of them.
    observations: [T + 1, LANES, S]; the first are there.
    proposed: [T, LANES, A], written.
    actions: [T, LANES, A], the noise, to which the proposed ones are added.
    is_noisy: whether the sums need clipping.
  """
  low, high = np.full((2, *actions.shape[1:]), [[[-1.0]], [[1.0]]], np.float32)
  running = list(enumerate(lanes))
  for step in range(len(actions)):
    proposed[step] = behaviour(observations[step])  # [LANES, A]
    executed = actions[step]
    executed += proposed[step]
    if is_noisy:
      # Two ufuncs in place take a quarter of np.clip's time.
      np.minimum(executed, high, out=executed)
      np.maximum(executed, low, out=executed)
    for i, lane in running:
      lane.step(executed[i], observations[step + 1, i])
    if any(lane.has_ended for _, lane in running):
      running = [(i, lane) for i, lane in running if not lane.has_ended]
      if not running:
        break


class _Lane:
  """One episode in the making.

  A simulation that blows up ends it with a NaN reward, so that the curator
  refuses it by name.
  """

  def __init__(
    self,
    environment: Environment,
    num_steps: int,
    seed: np.random.SeedSequence,
  ):
    self._environment = environment
    self._num_steps = num_steps
    self._random = np.random.Generator(np.random.PCG64(seed))
    self._seed = int(self._random.integers(2**32))
    self.has_ended = False
    self.rewards: list[float] = []
    self.discounts: list[float] = []

  @property
  def length(self) -> int:
    """Steps taken."""
    return len(self.rewards)

  def standard_noise(self, size: int) -> np.ndarray:
    """[T, A] float32, N(0, 1): a whole episode's, drawn at once."""
    shape = self._num_steps, size
    return self._random.standard_normal(shape, np.float32)

  def reset(self, observation: np.ndarray) -> None:
    """Starts the episode; writes its first observation."""
    self._environment.reset(self._seed, observation)

  def step(self, action: np.ndarray, observation: np.ndarray) -> None:
    """Executes one action; writes the observation after it."""
    try:
      reward, discount, last = self._environment.step(action, observation)
    except PhysicsError:
      observation[:] = np.nan
      reward = discount = np.nan
      last = True
    self.rewards.append(reward)
    self.discounts.append(discount)
    self.has_ended = last


def make_environments(task: str, episodes: int) -> list[Environment]:
  """As many environments as `run_episodes` can use for so many episodes."""
  return [Environment(task) for _ in range(min(LANES, max(1, episodes)))]


def evaluate(
  environments: Sequence[Environment],
  behaviour: Behaviour,
  num_steps: int,
  seeds: Sequence[np.random.SeedSequence],
) -> list[float]:
  """The returns of noise-free episodes, any number of them."""
  returns: list[float] = []
  for first in range(0, len(seeds), len(environments)):
    some = seeds[first : first + len(environments)]
    rollouts = run_episodes(environments, behaviour, num_steps, 0.0, some)
    returns += [float(r.rewards.sum(dtype=np.float64)) for r in rollouts]
  return returns
