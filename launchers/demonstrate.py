"""Records demonstrations: python -m launchers.demonstrate --teacher T.

The same command again records what is missing.
"""

from concurrent import futures
import dataclasses
import multiprocessing
from pathlib import Path
import sys

import numpy as np
from rich.console import Console
import tyro

from datasets.store import EpisodeStore
from datasets.types import EpisodeId
from launchers import process
from launchers.config import DemonstrationConfig, GrowingBatchConfig
from launchers.display import progress_bar
from launchers.environments import Environment
from launchers.nodes import act
from teachers import snapshot


@dataclasses.dataclass(frozen=True)
class DemonstrateConfig:
  """Records episodes of a teacher in the format that runs read."""

  teacher: str
  """A shipped snapshot (TASK/TIER) or the path of one."""
  directory: Path
  """Where the episodes go, one file each."""
  task: str = ''
  """The task; empty: the one that the snapshot names."""
  episodes: int = 1_000
  """Number of episodes."""
  noise: float = 0.0
  """Standard deviation of the Gaussian noise on the teacher's actions, in
  action units ([-1, 1]); the teacher's own action is kept as the label."""
  episode_steps: int = 1_000
  """Environment steps in an episode."""
  seed: int = 0
  """Seed of the initial states and of the noise."""
  processes: int = 1
  """Processes that record at the same time."""


def record(config: DemonstrateConfig, task: str, index: int) -> float:
  """Records one episode, unless it is there; returns its return."""
  recorder = _recorder(config, task)
  identity = EpisodeId('demonstrations', 0, 0, index)
  if identity in recorder.store:
    return recorder.store.read(identity).episode_return
  episode = act(
    recorder.config, recorder.environment, recorder.policy, identity
  )
  recorder.store.commit(episode)
  return episode.episode_return


@dataclasses.dataclass
class _Recorder:
  config: GrowingBatchConfig
  environment: Environment
  policy: snapshot.Policy
  store: EpisodeStore


_recorders: dict[DemonstrateConfig, _Recorder] = {}  # One in each process.


def _recorder(config: DemonstrateConfig, task: str) -> _Recorder:
  if config not in _recorders:
    run = GrowingBatchConfig(
      task=task,
      seed=config.seed,
      cycles=0,
      actor_steps=0,
      episode_steps=config.episode_steps,
      demonstrations=DemonstrationConfig(
        teacher=config.teacher, noise=config.noise, episodes=config.episodes
      ),
    )
    policy = snapshot.load(config.teacher).policy
    environment = Environment(task)
    if environment.spec != policy.spec:
      raise ValueError(
        f'{config.teacher} is for {policy.spec}, but {task} has '
        f'{environment.spec}.'
      )
    store = EpisodeStore(config.directory)
    _recorders[config] = _Recorder(run, environment, policy, store)
  return _recorders[config]


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  config = tyro.cli(DemonstrateConfig)
  try:
    teacher = snapshot.load(config.teacher)
    task = config.task or teacher.metadata.get('task', '')
    if not task:
      raise ValueError(f'{config.teacher} names no task: give --task.')
    for name, reason in EpisodeStore(config.directory).quarantine():
      console.print(f'Set aside {name}: {reason}; it is recorded again.')
    returns = _record_all(config, task, console)
  except (ValueError, OSError) as error:
    console.print(f'[bold red]Refused:[/] {error}', highlight=False)
    return 2
  except KeyboardInterrupt:
    console.print('Stopped. The same command records what is missing.')
    return 130
  console.print(
    f'{config.directory}: {len(returns)} episodes, return '
    f'{np.mean(returns):.1f} ± {np.std(returns):.1f}'
  )
  return 0


def _record_all(
  config: DemonstrateConfig, task: str, console: Console
) -> list[float]:
  context = multiprocessing.get_context('spawn')
  with progress_bar(console) as progress:
    bar = progress.add_task(
      f'recording {task}', total=config.episodes, unit='episodes'
    )
    returns = []
    with futures.ProcessPoolExecutor(config.processes, context) as pool:
      jobs = [
        pool.submit(record, config, task, index)
        for index in range(config.episodes)
      ]
      try:
        for job in futures.as_completed(jobs):
          returns.append(job.result())
          progress.advance(bar)
      except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
  return returns


if __name__ == '__main__':
  process.prepare_environment()
  sys.exit(main())
