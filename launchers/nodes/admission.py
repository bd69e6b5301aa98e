"""Which episodes a run learns from: its own, whole, by its cycle's policy."""

from collections.abc import Callable
import functools
from typing import Optional

import numpy as np

from datasets.tasks import Task
from datasets.types import Episode, EpisodeId
from datasets.validation import (
  EpisodeRefused,
  check_episode,
  check_identity,
  check_task,
)
from launchers.environments.base import Description
from launchers.runs.config import GrowingBatchConfig


class Admission:
  """The checks of one run; each raises EpisodeRefused, with the reason."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    environment: Description,
    policy_digest: Callable[[int], str],
  ):
    """Checks nothing yet.

    Args:
      config: of the run.
      environment: what is acted in.
      policy_digest: which policy acts in a cycle.
    """
    self._config = config
    self._environment = environment
    self._policy_digest = functools.cache(policy_digest)

  def is_ours(self, identity: EpisodeId) -> bool:
    """Whether the run has an episode of that identity."""
    # Old versions numbered their actors, and their files still do.
    return identity.actor == 0 and self._config.wants(identity)

  def check_identity(self, identity: EpisodeId) -> None:
    """Looks at an identity that anyone may have made."""
    check_identity(identity)
    if not self.is_ours(identity):
      raise EpisodeRefused(f'{identity} is none of this run.')

  def check_acted(self, episode: Episode) -> None:
    """Looks at what was acted just now."""
    policy = self._policy_in(episode.identity.cycle)
    self._check(episode, policy, self._environment.task)

  def check_stored(self, cycle: int, episode: Episode) -> None:
    """Looks at what was in the store of a cycle when the run started."""
    identity, task = episode.identity, self._environment.task
    if identity.cycle != cycle or not self._config.wants(identity):
      raise EpisodeRefused(f'{identity} is not of this cycle of this run.')
    if cycle == 0 and self._config.demonstrations.path is not None:
      # Whoever recorded them has chosen their lengths.
      check_episode(episode, task.spec)
    else:
      self._check(episode, self._policy_in(cycle))
    check_task(episode, task)

  def _policy_in(self, cycle: int) -> Optional[str]:
    """Who acts in a cycle; None: anyone may have, in logs."""
    is_logged = cycle == 0 and not self._config.has_simulator
    return None if is_logged else self._policy_digest(cycle)

  def _check(
    self, episode: Episode, policy: Optional[str], task: Optional[Task] = None
  ) -> None:
    """An episode is whole where it has all the steps of the configuration.

    Or where it was ended: by a true termination, or by an environment that cuts
    episodes.
    """
    most, environment = self._config.episode_steps, self._environment
    ends = np.ravel(episode.discounts)  # Of any shape, as yet.
    has_end = len(ends) and ends[-1] == 0
    is_free = environment.ends_itself or has_end
    length = None if is_free else most
    check_episode(episode, environment.task.spec, policy, length, task)
    if episode.num_steps > most:
      raise EpisodeRefused(
        f'{episode.identity}: it has {episode.num_steps} steps, but '
        f'episode_steps allows {most}; cut it there.'
      )
