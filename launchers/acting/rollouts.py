"""Running one fixed policy for whole episodes: what happens once per step."""

from collections.abc import Sequence
import itertools
from typing import Optional, Union

import numpy as np

from launchers.acting.behaviours import (
  LANES,
  Behaviour,
  Block,
  Exploration,
  SideBySide,
)
from launchers.acting.hosted import EnvironmentCrashedError
from launchers.acting.lanes import Place, make_lanes
from launchers.acting.outcomes import (
  ActingStoppedError,
  Failure,
  IsStopping,
  Rollout,
)
from launchers.acting.separate import Lanes
from launchers.environments.base import BrokenEnvironmentError, check_finite

# The roles of the seeds: one number each, for ever.
ACT, EVALUATE = 1, 2


def seed_for(run: int, role: int, *indices: int) -> np.random.SeedSequence:
  """The seed of one episode, whichever process runs it and whenever."""
  return np.random.SeedSequence([run, role, *indices])


def run_episodes(
  places: Sequence[Place],
  behaviour: Behaviour,
  num_steps: int,
  noise: float,
  seeds: Sequence[np.random.SeedSequence],
  is_stopping: IsStopping = lambda: False,
  random_share: float = 0.0,
) -> list[Union[Rollout, Failure]]:
  """Acts at most `num_steps` with clip(behaviour(s) + N(0, noise), -1, 1).

  A policy with a distribution of its own draws from that instead of adding the
  noise, if that is above 0; and see `Exploration`.

  The episodes run side by side, so that a policy's weights are read once for
  all of them. The behaviour always sees LANES rows, whose results do not depend
  on each other: an episode is the same, bit for bit, whatever runs beside it.
  Rows of no episode, or of one that has ended, are zeros.

  Args:
    places: at least one for each seed, all of one task.
    behaviour: acts in all episodes.
    num_steps: where an episode is cut.
    noise: standard deviation, in action units.
    seeds: one for each episode, at most LANES.
    is_stopping: asked now and then.
    random_share: how often a uniformly random action is done instead.

  Returns:
    The episodes, in the order of the seeds.

  Raises:
    ActingStoppedError: they are given up.
  """
  if len(seeds) > LANES or len(seeds) > len(places):
    raise ValueError(
      f'{len(seeds)} episodes cannot run side by side in {len(places)} '
      f'environments; at most {LANES} can.'
    )
  exploration = Exploration(noise, random_share)
  return _run(places, [(behaviour, seeds)], num_steps, exploration, is_stopping)


def _run(
  places: Sequence[Place],
  blocks: Sequence[Block],
  num_steps: int,
  exploration: Exploration,
  is_stopping: IsStopping,
) -> list[Union[Rollout, Failure]]:
  """The blocks' episodes side by side, in their order; see `run_episodes`."""
  singles = [(behaviour, [seed]) for behaviour, some in blocks for seed in some]
  try:
    return _act(places, blocks, num_steps, exploration, is_stopping)
  except EnvironmentCrashedError as error:
    if len(singles) == 1:
      return [Failure(str(error))]
  # One of them has ended the process of all: alone, each says which.
  return [
    result
    for single in singles
    for result in _run(places, [single], num_steps, exploration, is_stopping)
  ]


def _act(
  places: Sequence[Place],
  blocks: Sequence[Block],
  num_steps: int,
  exploration: Exploration,
  is_stopping: IsStopping,
) -> list[Union[Rollout, Failure]]:
  seeds = [seed for _, seeds in blocks for seed in seeds]
  lanes = make_lanes(places[: len(seeds)], num_steps, is_stopping)
  width, size = places[0].spec
  behaviour = SideBySide(blocks, width, exploration.noise)
  observations = np.zeros((num_steps + 1, len(seeds), width), np.float32)
  actions = np.zeros((num_steps, len(seeds), size), np.float32)
  instead = np.empty_like(actions) if exploration.random_share > 0 else None
  for i, seed in enumerate(seeds):
    if is_stopping():  # A reset may take as long as many steps.
      raise ActingStoppedError
    random = np.random.Generator(np.random.PCG64(seed))
    lanes.reset(i, int(random.integers(2**32)), observations[0, i])
    # A whole episode's, drawn at once.
    noises = random.standard_normal((num_steps, size), np.float32)
    actions[:, i] = behaviour.scale * noises
    if instead is not None:
      instead[:, i] = exploration.random_actions(random, (num_steps, size))
  proposed = np.empty_like(actions)
  lengths = _step(lanes, behaviour, observations, proposed, actions, instead)
  results: list[Union[Rollout, Failure]] = []
  for i, length in enumerate(lengths):
    if i in lanes.failures:
      results.append(Failure(lanes.failures[i]))
      continue
    rollout = Rollout(
      observations[: length + 1, i].copy(),
      actions[:length, i].copy(),
      proposed[:length, i].copy(),
      *lanes.outcome(i, actions[:length, i]),
    )
    results.append(_checked(rollout))
  return results


def _checked(rollout: Rollout) -> Union[Rollout, Failure]:
  """What no lane has looked at: fused ones, a behaviour that gives NaN."""
  try:
    check_finite(float(rollout.rewards.sum()), rollout.observations.reshape(-1))
    check_finite(0.0, rollout.actions.reshape(-1))
  except BrokenEnvironmentError as error:
    return Failure(str(error))
  return rollout


def _step(
  lanes: Lanes,
  behaviour: SideBySide,
  observations: np.ndarray,
  proposed: np.ndarray,
  actions: np.ndarray,
  instead: Optional[np.ndarray],
) -> list[int]:
  """Steps the lanes until all have ended; fills the arrays in place.

  Args:
    lanes: L episodes, already reset.
    behaviour: acts in all of them.
    observations: [T + 1, L, S]; the first are there.
    proposed: [T, L, A], written.
    actions: [T, L, A], the noise, which is made into what is done.
    instead: [T, L, A], what is done where it is not NaN; None: nowhere.

  Returns:
    The steps that each lane took.
  """
  low, high = np.full((2, *actions.shape[1:]), [[[-1.0]], [[1.0]]], np.float32)
  lengths = [len(actions)] * actions.shape[1]
  running = [lane for lane in range(len(lengths)) if lane not in lanes.failures]
  over = list(lanes.failures)
  for step in range(len(actions)):
    if not running:
      break
    proposed[step] = behaviour(observations[step], over)  # [L, A]
    executed = actions[step]
    behaviour.explore(proposed[step], executed)
    if behaviour.is_noisy:
      # Two ufuncs in place take a quarter of np.clip's time.
      np.minimum(executed, high, out=executed)
      np.maximum(executed, low, out=executed)
    if instead is not None:
      np.copyto(executed, instead[step], where=~np.isnan(instead[step]))
    ended = lanes.step(step, running, executed, observations[step + 1])
    for lane in ended:
      lengths[lane] = step + 1
      running.remove(lane)
      over.append(lane)
  return lengths


def evaluate(
  places: Sequence[Place],
  behaviour: Behaviour,
  num_steps: int,
  seeds: Sequence[np.random.SeedSequence],
  is_stopping: IsStopping = lambda: False,
) -> list[Union[float, Failure]]:
  """The returns of noise-free episodes, any number of them."""
  evaluations = [(behaviour, seeds)]
  return evaluate_all(places, evaluations, num_steps, is_stopping)[0]


def evaluate_all(
  places: Sequence[Place],
  evaluations: Sequence[Block],
  num_steps: int,
  is_stopping: IsStopping = lambda: False,
) -> list[list[Union[float, Failure]]]:
  """The returns of the episodes of several behaviours, run side by side.

  An episode is the same, bit for bit, as if `evaluate` ran its behaviour's
  alone. As many run at a time as there are places.

  Args:
    places: at least one, all of one task.
    evaluations: a behaviour each, and the seeds of any number of episodes.
    num_steps: where an episode is cut.
    is_stopping: asked now and then.

  Returns:
    For each evaluation, its returns in the order of its seeds.

  Raises:
    ActingStoppedError: they are given up.
  """
  most = min(LANES, len(places))
  blocks = [
    (i, (behaviour, seeds[first : first + most]))
    for i, (behaviour, seeds) in enumerate(evaluations)
    for first in range(0, len(seeds), most)
  ]
  returns: list[list[Union[float, Failure]]] = [[] for _ in evaluations]
  while blocks:
    sizes = itertools.accumulate(len(seeds) for _, (_, seeds) in blocks)
    count = sum(size <= len(places) for size in sizes)
    some, blocks = blocks[:count], blocks[count:]
    results = _run(
      places, [b for _, b in some], num_steps, Exploration(), is_stopping
    )
    owners = [i for i, (_, seeds) in some for _ in seeds]
    for i, result in zip(owners, results, strict=True):
      returns[i].append(
        result
        if isinstance(result, Failure)
        else float(result.rewards.sum(dtype=np.float64))
      )
  return returns
