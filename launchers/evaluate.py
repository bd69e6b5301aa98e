"""Measures a policy or a snapshot: python -m launchers.evaluate --policy P."""

import dataclasses
import json
import sys

import numpy as np
from rich.console import Console
import tyro

from launchers import acting, process
from launchers.display import progress_bar
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
    environments = acting.make_environments(task, config.episodes)
    if environments[0].spec != teacher.policy.spec:
      raise ValueError(
        f'{config.policy} is for {teacher.policy.spec}, but {task} has '
        f'{environments[0].spec}.'
      )
  except (ValueError, OSError) as error:
    console.print(f'[bold red]Refused:[/] {error}', highlight=False)
    return 2
  seeds = [
    acting.seed_for(config.seed, acting.EVALUATE, index)
    for index in range(config.episodes)
  ]
  returns: list[float] = []
  with progress_bar(console) as progress:
    bar = progress.add_task(task, total=config.episodes, unit='episodes')
    while len(returns) < config.episodes:
      some = seeds[len(returns) :][: len(environments)]
      returns += acting.evaluate(
        environments, teacher.policy, config.episode_steps, some
      )
      progress.update(bar, completed=len(returns))
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
