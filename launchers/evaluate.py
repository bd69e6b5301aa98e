"""Measures a policy or a snapshot: python -m launchers.evaluate --policy P."""

import dataclasses
import json
import sys

import numpy as np
from rich.console import Console
import tyro

from launchers import acting, process
from launchers.display import progress_bar
from launchers.environments import Environment
from teachers import snapshot


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
  """Runs a policy without noise and prints its returns."""

  policy: str
  """A shipped snapshot (TASK/TIER), or the path of a snapshot or a policy."""
  task: str = ''
  """The task; empty: the one that the snapshot names."""
  episodes: int = 20
  """Episodes to run."""
  episode_steps: int = 1_000
  """Environment steps in an episode."""
  seed: int = 1_000
  """Seed of the initial states."""


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  config = tyro.cli(EvaluateConfig)
  try:
    teacher = snapshot.load(config.policy)
    task = config.task or teacher.metadata.get('task', '')
    if not task:
      raise ValueError(f'{config.policy} names no task: give --task.')
    environment = Environment(task)
    if environment.spec != teacher.policy.spec:
      raise ValueError(
        f'{config.policy} is for {teacher.policy.spec}, but {task} has '
        f'{environment.spec}.'
      )
  except (ValueError, OSError) as error:
    console.print(f'[bold red]Refused:[/] {error}', highlight=False)
    return 2
  returns = []
  with progress_bar(console) as progress:
    bar = progress.add_task(task, total=config.episodes, unit='episodes')
    for index in range(config.episodes):
      seed = acting.seed_for(config.seed, acting.EVALUATE, index)
      rollout = acting.run_episode(
        environment, teacher.policy, config.episode_steps, 0.0, seed
      )
      returns.append(float(rollout.rewards.sum(dtype=np.float64)))
      progress.advance(bar)
  result = {
    'policy': config.policy,
    'task': task,
    'episodes': len(returns),
    'return_mean': float(np.mean(returns)),
    'return_std': float(np.std(returns)),
    'return_min': float(np.min(returns)),
    'return_max': float(np.max(returns)),
  }
  print(json.dumps(result))
  return 0


if __name__ == '__main__':
  process.prepare_environment()
  sys.exit(main())
