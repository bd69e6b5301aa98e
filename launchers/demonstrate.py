"""Records demonstrations: python -m launchers.demonstrate --teacher T.

The same command again records what is missing.
"""

from collections.abc import Sequence
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
from launchers import acting, process
from launchers.acting import LANES
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


def record(
  config: DemonstrateConfig, task: str, indices: Sequence[int]
) -> list[float]:
  """Records some episodes, unless they are there; returns their returns."""
  recorder = _recorder(config, task)
  store = recorder.store
  identities = [EpisodeId('demonstrations', 0, 0, index) for index in indices]
  missing = [(identity, 0) for identity in identities if identity not in store]
  if missing:
    for episode in act(
      recorder.config, recorder.environments, recorder.policy, missing
    ):
      store.commit(episode)
  return [store.read(identity).episode_return for identity in identities]


@dataclasses.dataclass
class _Recorder:
  config: GrowingBatchConfig
  environments: list[Environment]
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
    environments = acting.make_environments(task, config.episodes)
    if environments[0].spec != policy.spec:
      raise ValueError(
        f'{config.teacher} is for {policy.spec}, but {task} has '
        f'{environments[0].spec}.'
      )
    store = EpisodeStore(config.directory)
    _recorders[config] = _Recorder(run, environments, policy, store)
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
    returns: list[float] = []
    with futures.ProcessPoolExecutor(config.processes, context) as pool:
      jobs = [
        pool.submit(record, config, task, range(config.episodes)[i : i + LANES])
        for i in range(0, config.episodes, LANES)
      ]
      try:
        for job in futures.as_completed(jobs):
          returns += job.result()
          progress.update(bar, completed=len(returns))
      except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
  return returns


if __name__ == '__main__':
  process.prepare_environment()
  sys.exit(main())
