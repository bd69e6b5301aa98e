"""Measures a policy or a teacher: python -m launchers.evaluate --policy P."""

import dataclasses
import sys
from typing import Any

import numpy as np
from rich.console import Console
import tyro

from launchers import options
from launchers.display import progress_bar
from launchers.hosts import process
from teachers import registry
from teachers.base import Task


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
  """Runs a policy without noise and prints its returns."""

  policy: str
  """A shipped snapshot (TASK/TIER), the path of a snapshot or a policy,
  module:factory?args of your own Python, or grpc://host:port."""
  task: str = ''
  """The task; empty: the one that the snapshot names."""
  episodes: int = 20
  """Episodes to run."""
  episode_steps: int = 1_000
  """Environment steps in an episode."""
  seed: int = 1_000
  """Seed of the initial states."""


def evaluate(config: EvaluateConfig, console: Console) -> dict[str, Any]:
  """Runs the episodes.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types.

  Raises:
    ValueError: the options and the policy do not fit.
    OSError: the policy cannot be read.
  """
  # MuJoCo, which --help does without.
  from launchers.acting import rollouts
  from launchers.acting.behaviours import behaviour_of

  if config.episodes < 1:
    raise ValueError(f'episodes is {config.episodes}; it must be at least 1.')
  task = options.task_of(config.policy, config.task)
  environments = rollouts.make_environments(task, config.episodes)
  teacher = registry.load(  # Ctrl-C interrupts this process by itself.
    config.policy,
    Task(task, *environments[0].spec),
    'actions',
    on_trouble=options.trouble_on(console),
  )
  behaviour = behaviour_of(teacher)
  seeds = [
    rollouts.seed_for(config.seed, rollouts.EVALUATE, index)
    for index in range(config.episodes)
  ]
  returns: list[float] = []
  with progress_bar(console) as progress:
    bar = progress.add_task(task, total=config.episodes, unit='episodes')
    while len(returns) < config.episodes:
      some = seeds[len(returns) :][: len(environments)]
      returns += rollouts.evaluate(
        environments, behaviour, config.episode_steps, some
      )
      progress.update(bar, completed=len(returns))
  return {
    'policy': config.policy,
    'task': task,
    'episodes': len(returns),
    'return_mean': float(np.mean(returns)),
    'return_std': float(np.std(returns)),
    'return_min': float(np.min(returns)),
    'return_max': float(np.max(returns)),
  }


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  config = tyro.cli(EvaluateConfig)
  return options.run_command(console, lambda: evaluate(config, console))


if __name__ == '__main__':
  process.prepare_environment()
  sys.exit(main())
