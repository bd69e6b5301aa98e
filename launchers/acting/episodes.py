"""Rollouts as the episodes of a run: identities, seeds, noise and labels."""

from collections.abc import Iterator, Sequence
from typing import Optional, Union

import numpy as np

from datasets.types import Annotation, Episode, EpisodeId
from launchers.acting import rollouts
from launchers.acting.behaviours import Behaviour
from launchers.acting.lanes import Place
from launchers.acting.outcomes import Failure, IsStopping

Order = tuple[EpisodeId, np.random.SeedSequence]
"""An episode to act, and the seed of its initial state and noise."""


def seed_of(
  run: int, identity: EpisodeId, attempt: int
) -> np.random.SeedSequence:
  """The seed of one attempt at an episode.

  Args:
    run: the run's seed.
    identity: of the episode.
    attempt: how often it was refused before.
  """
  return rollouts.seed_for(run, rollouts.ACT, *identity[1:], attempt)


def act(
  places: Sequence[Place],
  behaviour: Behaviour,
  orders: Sequence[Order],
  num_steps: int,
  noise: float,
  digest: str,
  demonstrator: Optional[tuple[str, str]] = None,
  is_stopping: IsStopping = lambda: False,
  random_share: float = 0.0,
) -> Iterator[Union[Episode, Failure]]:
  """Runs episodes side by side; demonstrations carry clean labels.

  Args:
    places: at least one for each episode.
    behaviour: acts in all of them: a policy, or a teacher's actions.
    orders: the episodes, at most LANES.
    num_steps: where an episode is cut.
    noise: standard deviation, in action units.
    digest: names the behaviour in its episodes.
    demonstrator: name and version of the teacher that acts; None: no teacher
      does, and the episodes carry no labels.
    is_stopping: asked now and then.
    random_share: how often a uniformly random action is done instead.

  Yields:
    The episodes, in that order.

  Raises:
    ActingStoppedError: they are given up.
  """
  seeds = [seed for _, seed in orders]
  acted = rollouts.run_episodes(
    places, behaviour, num_steps, noise, seeds, is_stopping, random_share
  )
  for (identity, _), rollout in zip(orders, acted, strict=True):
    if isinstance(rollout, Failure):
      yield rollout
      continue
    annotation = None
    if demonstrator is not None:
      annotation = Annotation(*demonstrator, rollout.proposed)
    yield Episode(
      identity,
      digest,
      rollout.observations,
      rollout.actions,
      rollout.rewards,
      rollout.discounts,
      annotation,
      places[0].task,
    )
