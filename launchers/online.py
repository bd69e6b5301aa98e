"""Trains a teacher with continual interaction, the usual online way.

  python -m launchers.online --task cartpole-swingup

Acts one episode, learns from everything so far, and so on. Every evaluation
writes a snapshot of policy and critic with its return; `best.npz` is the best
of them. The same command again goes on where it was.
"""

from collections.abc import Mapping
import dataclasses
import json
from pathlib import Path
import sys
import time
from typing import Any

import numpy as np
from rich.console import Console
import tyro

from agents import checkpoint, registry
from agents.base import Learner
from agents.config import AgentConfig, ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from datasets import files
from datasets.memory import Memory
from datasets.sampler import UniformSampler
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from launchers.acting import rollouts
from launchers.display import progress_bar
from launchers.hosts import process
from launchers.runs.frozen import freeze
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table

COLUMNS = (
  'episodes', 'actor_steps', 'learner_steps', 'return_mean', 'return_std',
  'critic_loss', 'seconds',
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class OnlineConfig:
  """Online D4PG on one task, to make a teacher."""

  task: str = 'cartpole-swingup'
  """A dm_control suite task, as domain-task or domain:task."""
  seed: int = 0
  """Every random number derives from it."""
  name: str = ''
  """The directory's name under runs/; empty: online-TASK-SEED."""
  episodes: int = 300
  """Episodes to act."""
  random_episodes: int = 5
  """First episodes, acted by the untrained policy with a noise of 1."""
  episode_steps: int = 1_000
  """Environment steps after which an episode is cut (not terminated)."""
  updates_per_episode: int = 500
  """Learner steps after each episode."""
  acting_noise: float = 0.3
  """Standard deviation of the Gaussian noise at the start, action units."""
  final_acting_noise: float = 0.1
  """... and at the end; it falls linearly."""
  evaluation_interval: int = 10
  """Episodes between two evaluations, snapshots and checkpoints."""
  evaluation_episodes: int = 5
  """Episodes per evaluation."""
  agent: AgentConfig = D4PGConfig()
  runs: Path = Path('runs')
  """The directory that holds the run directories."""

  @property
  def run_name(self) -> str:
    """The directory's name under runs/."""
    return self.name or f'online-{self.task.replace(":", "-")}-{self.seed}'

  def to_json(self) -> dict[str, Any]:
    """The configuration as plain data."""
    tree = dataclasses.asdict(self)
    del tree['runs']
    return json.loads(json.dumps(tree, default=str))


class OnlineTrainer:
  """Alternates between acting one episode and learning from all of them."""

  def __init__(self, config: OnlineConfig, directory: RunDirectory):
    self._config = config
    self._directory = directory
    self._environments = rollouts.make_environments(
      config.task, config.evaluation_episodes
    )
    self._store = EpisodeStore(directory.root / 'episodes')
    self._memory = Memory(config.agent.n_step, config.agent.discount)
    self._networks = registry.make_networks(
      config.agent, self._environments[0].spec, config.seed
    )
    total_steps = config.episodes * config.updates_per_episode
    agent = registry.make_agent(
      config.agent, self._networks, ObjectiveConfig('none'), total_steps
    )
    self._learner = Learner(agent, self._sample)
    self._table = Table(directory.root / 'returns.csv', COLUMNS, ('episodes',))
    self._metrics: Mapping[str, float] = {}
    self._started = time.monotonic()
    self.episodes = 0

  def restore(self) -> None:
    """Goes on from the newest checkpoint and the episodes before it."""
    restored = checkpoint.restore_newest(
      {'learner': self._learner}, self._directory.root / 'learner'
    )
    if restored.step is None:
      return
    self.episodes = restored.step // self._config.updates_per_episode
    kept = [i for i in self._store.digests() if i.episode < self.episodes]
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
    return f'{float(row["return_mean"]):.0f} ± {float(row["return_std"]):.0f}'

  def _act(self) -> Episode:
    config, index = self._config, self.episodes
    policy = self._networks.export()
    done = index / config.episodes
    noise = config.acting_noise * (1 - done) + config.final_acting_noise * done
    seed = rollouts.seed_for(config.seed, rollouts.ACT, index)
    (rollout,) = rollouts.run_episodes(
      self._environments,
      policy,
      config.episode_steps,
      1.0 if index < config.random_episodes else noise,
      [seed],
    )
    return Episode(
      EpisodeId(config.run_name, 0, 0, index),
      policy.digest,
      rollout.observations,
      rollout.actions,
      rollout.rewards,
      rollout.discounts,
      task=self._environments[0].task,
    )

  def _evaluate(self) -> None:
    policy = self._networks.export()
    config = self._config
    seeds = [
      rollouts.seed_for(config.seed, rollouts.EVALUATE, self.episodes, index)
      for index in range(config.evaluation_episodes)
    ]
    returns = rollouts.evaluate(
      self._environments, policy, config.episode_steps, seeds
    )
    row = {
      'episodes': self.episodes,
      'actor_steps': self._memory.num_transitions,
      'learner_steps': self._learner.steps,
      'return_mean': float(np.mean(returns)),
      'return_std': float(np.std(returns)),
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
    task = self._environments[0].task
    snapshot = self._networks.snapshot(metadata).of(task)
    directory = self._directory.root / 'snapshots'
    directory.mkdir(exist_ok=True)
    data = snapshot.to_bytes()
    files.write_bytes(directory / f'episode_{self.episodes:05d}.npz', data)
    best = max(
      (float(r['return_mean']) for r in self._table.rows), default=-np.inf
    )
    if row['return_mean'] > best:
      files.write_bytes(self._directory.root / 'best.npz', data)

  def _sample(self, first_step: int, num_steps: int) -> Any:
    sampler = UniformSampler(
      self._memory.gather,
      self._memory.num_transitions,
      self._config.agent.batch_size,
      self._config.seed,
    )
    return sampler(first_step, num_steps)


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)
  config = tyro.cli(OnlineConfig, prog=process.program('launchers.online'))
  directory = RunDirectory(config.runs / config.run_name)
  directory.lock()
  freeze(config, directory.root)
  trainer = OnlineTrainer(config, directory)
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
  console.print(f'The best snapshot: {directory.root / "best.npz"}')
  return 0


if __name__ == '__main__':
  sys.exit(main())
