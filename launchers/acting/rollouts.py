"""Running one fixed policy for whole episodes: what happens once per step."""

from collections.abc import Sequence
import itertools
from typing import NamedTuple

import numpy as np

from agents.deployed.policy import Policy
from agents.deployed.stacked_policy import StackedPolicy
from launchers.acting.behaviours import Behaviour
from launchers.acting.lanes import Lanes, make_lanes
from launchers.environments.suite import Environment

# The roles of the seeds: one number each, for ever.
ACT, EVALUATE = 1, 2

LANES = 8
"""Rows that a behaviour sees at a time, and episodes of one side by side."""

Block = tuple[Behaviour, Sequence[np.random.SeedSequence]]
"""What acts, and the seeds of the episodes in which it does."""


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
  return _run(environments, [(behaviour, seeds)], num_steps, noise)


def _run(
  environments: Sequence[Environment],
  blocks: Sequence[Block],
  num_steps: int,
  noise: float,
) -> list[Rollout]:
  """The blocks' episodes side by side, in their order; see `run_episodes`."""
  seeds = [seed for _, seeds in blocks for seed in seeds]
  lanes = make_lanes(environments[: len(seeds)], num_steps)
  width, size = environments[0].spec
  observations = np.zeros((num_steps + 1, len(seeds), width), np.float32)
  actions = np.zeros((num_steps, len(seeds), size), np.float32)
  for i, seed in enumerate(seeds):
    random = np.random.Generator(np.random.PCG64(seed))
    lanes.reset(i, int(random.integers(2**32)), observations[0, i])
    # A whole episode's, drawn at once.
    noises = random.standard_normal((num_steps, size), np.float32)
    actions[:, i] = noise * noises
  behaviour = _together(blocks, width)
  proposed = np.empty_like(actions)
  lengths = _step(lanes, behaviour, observations, proposed, actions, noise > 0)
  return [
    Rollout(
      observations[: length + 1, i].copy(),
      actions[:length, i].copy(),
      proposed[:length, i].copy(),
      *lanes.outcome(i, actions[:length, i]),
    )
    for i, length in enumerate(lengths)
  ]


def _together(blocks: Sequence[Block], width: int) -> Behaviour:
  """Acts for the episodes of all blocks, [L, S] to [L, A].

  Each behaviour sees LANES rows, of which its episodes are the first.
  """
  rows = np.concatenate(
    [LANES * i + np.arange(len(seeds)) for i, (_, seeds) in enumerate(blocks)]
  )
  inputs = np.zeros((len(blocks), LANES, width), np.float32)
  flat = inputs.reshape(-1, width)
  policies = [b.arrays for b, _ in blocks if isinstance(b, Policy)]
  stacked: Behaviour
  if len(policies) == len(blocks) > 1:
    stacked = StackedPolicy(policies, LANES)
  else:
    stacked = _one_by_one([behaviour for behaviour, _ in blocks])

  def act(observations: np.ndarray) -> np.ndarray:
    flat[rows] = observations
    actions = stacked(inputs)  # [P, LANES, A]
    return actions.reshape(len(flat), -1)[rows]

  return act


def _one_by_one(behaviours: Sequence[Behaviour]) -> Behaviour:
  def act(inputs: np.ndarray) -> np.ndarray:
    return np.stack(
      [act(rows) for act, rows in zip(behaviours, inputs, strict=True)]
    )

  return act


def _step(
  lanes: Lanes,
  behaviour: Behaviour,
  observations: np.ndarray,
  proposed: np.ndarray,
  actions: np.ndarray,
  is_noisy: bool,
) -> list[int]:
  """Steps the lanes until all have ended; fills the arrays in place.

  Args:
    lanes: L episodes, already reset.
    behaviour: acts in all of them.
    observations: [T + 1, L, S]; the first are there.
    proposed: [T, L, A], written.
    actions: [T, L, A], the noise, to which the proposed ones are added.
    is_noisy: whether the sums need clipping.

  Returns:
    The steps that each lane took.
  """
  low, high = np.full((2, *actions.shape[1:]), [[[-1.0]], [[1.0]]], np.float32)
  lengths = [len(actions)] * actions.shape[1]
  running = list(range(len(lengths)))
  for step in range(len(actions)):
    proposed[step] = behaviour(observations[step])  # [L, A]
    executed = actions[step]
    executed += proposed[step]
    if is_noisy:
      # Two ufuncs in place take a quarter of np.clip's time.
      np.minimum(executed, high, out=executed)
      np.maximum(executed, low, out=executed)
    ended = lanes.step(step, running, executed, observations[step + 1])
    for lane in ended:
      lengths[lane] = step + 1
      running.remove(lane)
    if not running:
      break
  return lengths


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
  return evaluate_all(environments, [(behaviour, seeds)], num_steps)[0]


def evaluate_all(
  environments: Sequence[Environment],
  evaluations: Sequence[Block],
  num_steps: int,
) -> list[list[float]]:
  """The returns of the episodes of several behaviours, run side by side.

  An episode is the same, bit for bit, as if `evaluate` ran its behaviour's
  alone. As many run at a time as there are environments.

  Args:
    environments: at least one, all of one task.
    evaluations: a behaviour each, and the seeds of any number of episodes.
    num_steps: where an episode is cut.

  Returns:
    For each evaluation, its returns in the order of its seeds.
  """
  most = min(LANES, len(environments))
  blocks = [
    (i, (behaviour, seeds[first : first + most]))
    for i, (behaviour, seeds) in enumerate(evaluations)
    for first in range(0, len(seeds), most)
  ]
  returns: list[list[float]] = [[] for _ in evaluations]
  while blocks:
    sizes = itertools.accumulate(len(seeds) for _, (_, seeds) in blocks)
    count = sum(size <= len(environments) for size in sizes)
    some, blocks = blocks[:count], blocks[count:]
    rollouts = _run(environments, [block for _, block in some], num_steps, 0.0)
    owners = [i for i, (_, seeds) in some for _ in seeds]
    for i, rollout in zip(owners, rollouts, strict=True):
      returns[i].append(float(rollout.rewards.sum(dtype=np.float64)))
  return returns
