"""Trains a teacher with continual interaction, the usual online way.

  python -m launchers.online --task cartpole-swingup

Acts one episode, learns from everything so far, and so on. Every evaluation
writes a snapshot of policy and critic with its return; `best.npz` is the best
of them. The same command again goes on where it was.
"""

from collections.abc import Mapping
import sys
import time
from typing import Any, Union

import numpy as np
from rich.console import Console
import tyro

from agents import checkpoint, registry
from agents.base import Learner
from agents.config import ObjectiveConfig
from agents.deployed.policy import Policy
from datasets import files
from datasets.memory import Memory
from datasets.sampler import UniformSampler
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from datasets.validation import EpisodeRefused, check_episode, check_task
from launchers import options
from launchers.acting import rollouts
from launchers.acting.outcomes import Failure, Rollout, split
from launchers.acting.places import Places
from launchers.display import progress_bar
from launchers.hosts import process
from launchers.runs.frozen import freeze
from launchers.runs.online_config import OnlineConfig
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table

COLUMNS = (
  'episodes', 'actor_steps', 'learner_steps', 'return_mean', 'return_std',
  'critic_loss', 'seconds',
)  # fmt: skip


class OnlineTrainer:
  """Alternates between acting one episode and learning from all of them."""

  def __init__(
    self, config: OnlineConfig, directory: RunDirectory, console: Console
  ):
    self._config = config
    self._directory = directory
    self._console = console
    self._places = Places(config.task, config.action_bound)
    environment = self._places.description
    options.warn_unless_seeded(environment, console)
    self._store = EpisodeStore(directory.root / 'episodes')
    self._memory = Memory(config.agent.n_step, config.agent.discount)
    self._networks = registry.make_networks(
      config.agent, environment.task.spec, config.seed
    )
    total_steps = config.episodes * config.updates_per_episode
    agent = registry.make_agent(
      config.agent, self._networks, ObjectiveConfig('none'), total_steps
    )
    self._learner = Learner(agent, self._sample)
    self._table = Table(directory.root / 'returns.csv', COLUMNS, ('episodes',))
    self._metrics: Mapping[str, float] = {}
    self._started = time.monotonic()
    self._failures = 0
    self.episodes = 0

  def restore(self) -> None:
    """Goes on from the newest checkpoint and the episodes before it.

    Those after it are acted again: another environment or version may act them
    otherwise, and an identity is used once.
    """
    for path, reason in self._store.quarantine(self._check):
      self._console.print(
        f'Set aside {path}: {reason}', style='yellow', markup=False
      )
    restored = checkpoint.restore_newest(
      {'learner': self._learner}, self._directory.root / 'learner'
    )
    step = restored.step or 0
    self.episodes = step // self._config.updates_per_episode
    digests = self._store.digests()
    kept = [i for i in digests if i.episode < self.episodes]
    for identity in digests.keys() - set(kept):
      self._store.discard(identity)
    if len(kept) < self.episodes:
      raise ValueError(
        f'{self._directory.root} holds {len(kept)} of the {self.episodes} '
        'episodes before its checkpoint. Restore them, or use another --name.'
      )
    self._memory.extend([self._store.read(i) for i in sorted(kept)])

  def step(self) -> None:
    """Acts one episode, learns, and evaluates when that is due."""
    episode = self._act()
    self._store.commit(episode)
    self._memory.extend([episode])
    self._metrics = self._learner.run(self._config.updates_per_episode)
    self.episodes += 1
    is_last = self.episodes == self._config.episodes
    if is_last or self.episodes % self._config.evaluation_interval == 0:
      self._evaluate()
      checkpoint.save(
        {'learner': self._learner},
        self._directory.root / 'learner',
        self._learner.steps,
      )

  def last_return(self) -> str:
    """The newest evaluation, for a person."""
    if not self._table.rows:
      return 'none yet'
    row = self._table.rows[-1]
    if not row['return_mean']:
      return 'none, for all its episodes failed'
    return f'{float(row["return_mean"]):.0f} ± {float(row["return_std"]):.0f}'

  def _act(self) -> Episode:
    config, index = self._config, self.episodes
    policy = self._networks.export()
    done = index / config.episodes
    noise = config.acting_noise * (1 - done) + config.final_acting_noise * done
    noise = 1.0 if index < config.random_episodes else noise
    places = self._places.take(1)
    attempt = 0
    while True:  # Another attempt has another seed.
      indices = (index, attempt) if attempt else (index,)
      seed = rollouts.seed_for(config.seed, rollouts.ACT, *indices)
      (rollout,) = rollouts.run_episodes(
        places, policy, config.episode_steps, noise, [seed]
      )
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
      task=self._places.description.task,
    )
    self._check(episode)
    return episode

  def _check(self, episode: Episode) -> None:
    task, run = self._places.description.task, self._config.run_name
    if episode.identity[:3] != (run, 0, 0):
      raise EpisodeRefused(f'{episode.identity} is none of {run}.')
    check_episode(episode, task.spec)
    check_task(episode, task)

  def _note_failure(self, reason: str) -> None:
    self._failures += 1
    self._console.print(
      f'Episode {self.episodes} failed: {reason}', style='yellow', markup=False
    )
    share = self._config.max_refused_fraction
    options.check_failures(self._failures, self._config.episodes, share, reason)

  def _evaluate(self) -> None:
    policy = self._networks.export()
    config = self._config
    seeds = [
      rollouts.seed_for(config.seed, rollouts.EVALUATE, self.episodes, index)
      for index in range(config.evaluation_episodes)
    ]
    returns, failures = split(
      rollouts.evaluate(
        self._places.take(min(len(seeds), rollouts.LANES)),
        policy, config.episode_steps, seeds,
      )
    )  # fmt: skip
    for reason in failures:
      self._console.print(
        f'An evaluation failed: {reason}', style='yellow', markup=False
      )
    row = {
      'episodes': self.episodes,
      'actor_steps': self._memory.num_transitions,
      'learner_steps': self._learner.steps,
      'return_mean': float(np.mean(returns)) if returns else '',
      'return_std': float(np.std(returns)) if returns else '',
      'critic_loss': self._metrics['critic_loss'],
      'seconds': time.monotonic() - self._started,
    }
    self._save_snapshot(row)
    self._table.add(row)

  def _save_snapshot(self, row: Mapping[str, Any]) -> None:
    metadata = {
      **row,
      'seed': self._config.seed,
      'evaluation_episodes': self._config.evaluation_episodes,
      'config': self._config.to_json(),
    }
    snapshot = self._networks.snapshot(metadata)
    snapshot = snapshot.of(self._places.description.task)
    directory = self._directory.root / 'snapshots'
    directory.mkdir(exist_ok=True)
    data = snapshot.to_bytes()
    files.write_bytes(directory / f'episode_{self.episodes:05d}.npz', data)
    if row['return_mean'] != '' and row['return_mean'] > self.best_return():
      files.write_bytes(self._directory.root / 'best.npz', data)

  def best_return(self) -> float:
    """Of all evaluations; -inf while there is none."""
    rows = self._table.rows
    means = [float(r['return_mean']) for r in rows if r['return_mean']]
    return max(filter(np.isfinite, means), default=-np.inf)

  def _sample(self, first_step: int, num_steps: int) -> Any:
    sampler = UniformSampler(
      self._memory.gather,
      self._memory.num_transitions,
      self._config.agent.batch_size,
      self._config.seed,
    )
    return sampler(first_step, num_steps)


def train(config: OnlineConfig, console: Console) -> dict[str, Any]:
  """Goes on until all episodes are acted.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types.

  Raises:
    ValueError: the options, the environment or what is there do not fit.
    TooManyFailuresError: too many episodes have failed.
  """
  directory = RunDirectory(config.runs / config.run_name)
  directory.lock()
  freeze(config, directory.root)
  trainer = OnlineTrainer(config, directory, console)
  trainer.restore()
  with progress_bar(console) as progress:
    task = progress.add_task(
      config.task, total=config.episodes, unit='episodes',
      completed=trainer.episodes,
    )  # fmt: skip
    while trainer.episodes < config.episodes:
      trainer.step()
      progress.update(
        task,
        completed=trainer.episodes,
        description=f'{config.task}: {trainer.last_return()}',
      )
  best, path = trainer.best_return(), directory.root / 'best.npz'
  if path.exists():
    console.print(f'The best snapshot: {path}')
  else:
    console.print('There is no best snapshot: no evaluation went well.')
  return {
    'episodes': trainer.episodes,
    'best': str(path) if path.exists() else None,
    'return_mean': best if np.isfinite(best) else None,
  }


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)
  words = options.with_kind(sys.argv[1:])

  def work() -> dict[str, Any]:
    agent = options.agent_of(words, OnlineConfig.agent)
    registry.check_objective(agent, 'none')
    program = process.program('launchers.online')
    default = OnlineConfig(agent=agent)
    return train(
      tyro.cli(OnlineConfig, default=default, args=words, prog=program), console
    )

  return options.run_command(console, work)


if __name__ == '__main__':
  sys.exit(main())
