"""Measures a policy or a teacher: python -m launchers.evaluate --policy P."""

from collections.abc import Sequence
import dataclasses
import sys
from typing import Any, Optional, Union

import numpy as np
from rich.console import Console

from datasets import bounds
from launchers import command_line, options
from launchers.acting.outcomes import Failure, split
from launchers.display import progress_bar
from launchers.hosts import process
from teachers import registry


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
  """Environment steps in an episode, at most."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  seed: int = 1_000
  """Seed of the initial states."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(
      self, episodes=(1, 10_000_000), episode_steps=(1, 10_000_000),
      action_bound=(bounds.ABOVE_0, 1e9), seed=bounds.SEED,
    )  # fmt: skip


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
  from launchers.acting.places import Places

  task = options.task_of(config.policy, config.task)
  places = Places(task, config.action_bound)
  teacher = registry.load(  # Ctrl-C interrupts this process by itself.
    config.policy,
    places.description.task,
    'actions',
    on_trouble=options.trouble_on(console),
  )
  behaviour = behaviour_of(teacher)
  seeds = [
    rollouts.seed_for(config.seed, rollouts.EVALUATE, index)
    for index in range(config.episodes)
  ]
  results: list[Union[float, Failure]] = []
  with progress_bar(console) as progress:
    bar = progress.add_task(task, total=config.episodes, unit='episodes')
    while len(results) < config.episodes:
      some = seeds[len(results) :][: rollouts.LANES]
      results += rollouts.evaluate(
        places.take(len(some)), behaviour, config.episode_steps, some
      )
      progress.update(bar, completed=len(results))
  returns, failures = split(results)
  for reason in failures:
    console.print(
      f'An episode failed: {reason}',
      style='yellow',
      markup=False,
      soft_wrap=True,
    )
  return {
    'policy': config.policy,
    'task': task,
    'episodes': len(returns),
    'failures': len(failures),
    **_statistics(returns),
  }


def _statistics(returns: Sequence[float]) -> dict[str, Optional[float]]:
  """Of the episodes that went well; None where none did."""
  return {
    f'return_{name}': float(getattr(np, name)(returns)) if returns else None
    for name in ('mean', 'std', 'min', 'max')
  }


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(EvaluateConfig, 'launchers.evaluate')
    return evaluate(config, console)

  return options.run_command(console, work)


if __name__ == '__main__':
  sys.exit(main())
