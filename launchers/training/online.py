"""Training by continual interaction, resumable to the bit."""

from collections.abc import Callable, Iterable
import pathlib
from typing import Optional, Union

import numpy as np

from agents import checkpoint
from agents.config import AgentConfig
from agents.deployed.policy import Policy
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from datasets.validation import EpisodeRefused, check_episode, check_task
from launchers.acting import rollouts
from launchers.acting.outcomes import (
  Failure,
  IsStopping,
  Rollout,
  check_failures,
)
from launchers.acting.places import Places
from launchers.runs.online_config import OnlineConfig
from launchers.runs.run_directory import RunDirectory
from launchers.training.evaluations import OnlineEvaluations
from launchers.training.students import Student

_PUPIL = 4
"""The role of a pupil's seed."""


class OnlineTrainer:
  """Alternates between acting one episode and learning from all of them.

  Attributes:
    episodes: how many were acted and learned from.
    student: the agent that acts.
    pupil: another that learns from the same episodes, as much; None: nobody.
  """

  def __init__(
    self,
    config: OnlineConfig,
    directory: RunDirectory,
    places: Places,
    tell: Callable[[str], None],
    is_stopping: IsStopping = lambda: False,
  ):
    """Begins; `restore` goes on.

    Args:
      config: of the command.
      directory: where everything is written.
      places: where episodes are acted.
      tell: says what a person should know, a line each.
      is_stopping: asked every few steps of an environment.
    """
    self._config = config
    self._root = directory.root
    self._places = places
    self._tell = tell
    self._is_stopping = is_stopping
    self._task = places.description.task
    self._store = EpisodeStore(self._root / 'episodes')
    self.student = self._make(config.agent, config.seed, self._root)
    self.pupil: Optional[Student] = None
    if config.pupil is not None:
      seed = np.random.SeedSequence([config.seed, _PUPIL])
      self.pupil = self._make(
        config.pupil, int(seed.generate_state(1)[0]), self._root / 'pupil'
      )
    self._learners = {'learner': self.student.learner}
    if self.pupil is not None:
      self._learners['pupil'] = self.pupil.learner
    self._saved_step: Optional[int] = None
    self._failures = 0
    self.episodes = 0

  @property
  def is_done(self) -> bool:
    """Whether all episodes are acted and learned from."""
    return self.episodes >= self._config.episodes

  def restore(self) -> None:
    """Goes on from the newest checkpoint and the episodes before it.

    Those after it are acted again: another environment or version may act them
    otherwise, and an identity is used once. Whatever is damaged is set aside.

    Raises:
      ValueError: of the episodes before the checkpoint none is left.
    """
    for path, reason in self._store.quarantine(self._check):
      self._tell(f'Set aside {path}: {reason}')
    restored = checkpoint.restore_newest(self._learners, self._root / 'learner')
    self._saved_step = restored.step
    self.episodes = (restored.step or 0) // self._config.updates_per_episode
    digests = self._store.digests()
    kept = sorted(i for i in digests if i.episode < self.episodes)
    for identity in digests.keys() - set(kept):
      self._store.discard(identity)
    if len(kept) < self.episodes:
      missing = (
        f'{self._root} holds {len(kept)} of the {self.episodes} episodes '
        'before its checkpoint.'
      )
      if not kept:
        raise ValueError(f'{missing} Restore them, or use another --name.')
      self._tell(f'{missing} It goes on with those, which alters the result.')
    self._remember(self._store.read(i) for i in kept)

  def step(self) -> None:
    """Acts one episode, and learns from everything so far.

    Raises:
      ActingStoppedError: the episode is given up.
      TooManyFailuresError: too many episodes have failed.
    """
    episode = self._act()
    self._store.commit(episode)
    self._remember([episode])
    for student in self._students:
      student.learn(self._config.updates_per_episode)
    self.episodes += 1

  def evaluate_if_due(self) -> None:
    """Adds a row and a snapshot every so many episodes, and for the last.

    Raises:
      ActingStoppedError: the evaluation is given up.
    """
    if self.episodes and (self.is_done or self.is_interval_over()):
      for student in self._students:
        student.evaluate(self.episodes)

  def save(self) -> None:
    """Writes a checkpoint, unless the newest is of this step."""
    step = self.student.learner.steps
    if step and step != self._saved_step:
      checkpoint.save(self._learners, self._root / 'learner', step)
      self._saved_step = step

  def is_interval_over(self) -> bool:
    """Whether it is time for an evaluation and a checkpoint."""
    return self.episodes % self._config.evaluation_interval == 0

  @property
  def _students(self) -> list[Student]:
    return [s for s in (self.student, self.pupil) if s is not None]

  def _make(self, agent: AgentConfig, seed: int, root: pathlib.Path) -> Student:
    config = self._config
    return Student(
      agent,
      self._task.spec,
      seed,
      config.episodes * config.updates_per_episode,
      OnlineEvaluations(
        config, root, self._places, self._tell, self._is_stopping
      ),
    )

  def _remember(self, episodes: Iterable[Episode]) -> None:
    for episode in episodes:
      for student in self._students:
        student.remember([episode])

  def _act(self) -> Episode:
    config, index = self._config, self.episodes
    policy = self.student.networks.export()
    done = index / config.episodes
    noise = config.acting_noise * (1 - done) + config.final_acting_noise * done
    is_start = index < config.random_episodes
    noise = 1.0 if is_start else noise
    share = 1.0 if is_start and config.uniform_start else 0.0
    places = self._places.take(1)
    attempt = 0
    while True:  # Another attempt has another seed.
      indices = (index, attempt) if attempt else (index,)
      seed = rollouts.seed_for(config.seed, rollouts.ACT, *indices)
      (rollout,) = rollouts.run_episodes(
        places, policy, config.episode_steps, noise, [seed],
        self._is_stopping, share
      )  # fmt: skip
      try:
        return self._checked(policy, rollout)
      except EpisodeRefused as error:
        self._note_failure(str(error))
      attempt += 1

  def _checked(
    self, policy: Policy, rollout: Union[Rollout, Failure]
  ) -> Episode:
    """The episode of a rollout; refuses what nothing may learn from."""
    if isinstance(rollout, Failure):
      raise EpisodeRefused(rollout.reason)
    episode = Episode(
      EpisodeId(self._config.run_name, 0, 0, self.episodes),
      policy.digest,
      rollout.observations,
      rollout.actions,
      rollout.rewards,
      rollout.discounts,
      task=self._task,
    )
    self._check(episode)
    return episode

  def _check(self, episode: Episode) -> None:
    run = self._config.run_name
    if episode.identity[:3] != (run, 0, 0):
      raise EpisodeRefused(f'{episode.identity} is none of {run}.')
    check_episode(episode, self._task.spec)
    check_task(episode, self._task)

  def _note_failure(self, reason: str) -> None:
    self._failures += 1
    self._tell(f'Episode {self.episodes} failed: {reason}')
    share = self._config.max_refused_fraction
    check_failures(self._failures, self._config.episodes, share, reason)
