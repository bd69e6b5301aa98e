"""Trains an agent from files: python -m launchers.offline --agent bc --data D.

No simulator is needed; where a task is named, the policy is evaluated in it
while it trains. The same command again goes on where it was.
"""

import dataclasses
import json
import os
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Any, Optional

from rich.console import Console
import tyro

from agents.bc.config import BCConfig
from agents.config import AgentConfig
from datasets import bounds
from launchers import options
from launchers.acting import rollouts
from launchers.acting.outcomes import split
from launchers.acting.places import Places
from launchers.display import progress_bar
from launchers.environments.names import canonical
from launchers.hosts import process
from launchers.nodes.ledger import summary
from launchers.runs.frozen import freeze
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table

if TYPE_CHECKING:
  from launchers.training.offline import OfflineTrainer

_LOG_INTERVAL = 100  # Updates from one row of metrics.csv to the next.


@dataclasses.dataclass(frozen=True)
class OfflineConfig:
  """Trains an agent on logged episodes, with no environment in the loop."""

  data: tuple[Path, ...]
  """Directories of episodes: of a run's cycle, of demonstrate, annotate or
  online; several are learned from together."""
  agent: AgentConfig = BCConfig()
  task: str = ''
  """Where the policy is evaluated while it trains; empty: nowhere."""
  seed: int = 0
  """Every random number derives from it."""
  name: str = ''
  """The directory's name under runs/; empty: offline-AGENT-SEED."""
  learner_steps: int = 100_000
  """Updates."""
  checkpoint_interval: int = 5_000
  """Updates between two checkpoints: the most that a kill makes it repeat."""
  evaluation_interval: int = 10_000
  """Updates between two evaluations, where a task is named."""
  evaluation_episodes: int = 10
  """Episodes per evaluation."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  episode_steps: int = 1_000
  """Environment steps after which an evaluation's episode is cut."""
  runs: Path = Path('runs')
  """The directory that holds the run directories."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    most = (1, 1_000_000_000)
    bounds.check(
      self, learner_steps=most, checkpoint_interval=most,
      evaluation_interval=most, evaluation_episodes=(1, 100_000),
      episode_steps=(1, 10_000_000), action_bound=(bounds.ABOVE_0, 1e9),
      seed=bounds.SEED,
    )  # fmt: skip

  @property
  def run_name(self) -> str:
    """The directory's name under runs/."""
    return self.name or f'offline-{self.agent.kind}-{self.seed}'

  def to_json(self) -> dict[str, Any]:
    """The configuration as plain data."""
    tree = dataclasses.asdict(self)
    del tree['runs']
    tree['data'] = [path.resolve() for path in self.data]
    return json.loads(json.dumps(tree, default=str))


def train(config: OfflineConfig, console: Console) -> dict[str, Any]:
  """Trains, or goes on, to the end.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types.

  Raises:
    process.StoppedError: a signal came; what was learned is saved.
    ValueError: the data or the options do not fit.
    OSError: something cannot be read or written.
  """
  # TensorFlow takes seconds, which a refusal of the options need not wait for.
  from launchers.training.offline import Log, OfflineTrainer

  evaluation = Evaluation(config) if config.task else None
  task = evaluation.task if evaluation else None
  log = Log(config.data, config.agent, task)
  if task and task.spec != log.spec:  # Of episodes that do not say their task.
    raise ValueError(
      f'{config.task} has observations and actions of widths '
      f'{tuple(task.spec)}, but the data are of widths {tuple(log.spec)}. Name '
      'their --task, or none.'
    )
  directory = RunDirectory(config.runs / config.run_name)
  lock = directory.lock()
  try:
    freeze(config, directory.root)
    trainer = OfflineTrainer(
      config.agent, log, directory, config.seed, config.learner_steps
    )
    if evaluation is None:
      console.print('No --task is named, so nothing is evaluated.')
    _learn(config, trainer, evaluation, console)
    return {
      'policy': str(trainer.publish({'config': config.to_json()})),
      'agent': config.agent.kind,
      'episodes': log.num_episodes,
      'transitions': log.memory.num_transitions,
      'learner_steps': trainer.steps,
      'digest': trainer.policy().digest,
      'return_mean': evaluation.last_return if evaluation else None,
    }
  finally:
    os.close(lock)


class Evaluation:
  """Measures the policy in an environment, without noise."""

  def __init__(self, config: OfflineConfig):
    self._config = config
    self._places = Places(canonical(config.task), config.action_bound)
    self._table: Optional[Table] = None
    self.task = self._places.description.task
    self.last_return: Optional[float] = None

  def __str__(self) -> str:
    mean = self.last_return
    return 'every episode failed' if mean is None else f'{mean:.1f}'

  def is_due(self, steps: int) -> bool:
    """Whether it is time for one."""
    is_last = steps >= self._config.learner_steps
    return steps > 0 and (
      is_last or steps % self._config.evaluation_interval == 0
    )

  def run(self, trainer: 'OfflineTrainer') -> None:
    """Adds a row to evaluation.csv, unless the step has one."""
    table = self._table = self._table or Table(
      trainer.root / 'evaluation.csv', ('step', 'episodes'), ('step',)
    )
    known = [row for row in table.rows if int(row['step']) == trainer.steps]
    if known:
      mean = known[0].get('return_mean')
      self.last_return = float(mean) if mean else None
      return
    config = self._config
    seeds = [
      rollouts.seed_for(config.seed, rollouts.EVALUATE, trainer.steps, index)
      for index in range(config.evaluation_episodes)
    ]
    places = self._places.take(min(len(seeds), rollouts.LANES))
    returns, failures = split(
      rollouts.evaluate(places, trainer.policy(), config.episode_steps, seeds)
    )
    self._places.refresh()
    row = summary(returns)
    self.last_return = row.get('return_mean')
    table.add({'step': trainer.steps, 'failures': len(failures), **row})


def _learn(
  config: OfflineConfig,
  trainer: 'OfflineTrainer',
  evaluation: Optional[Evaluation],
  console: Console,
) -> None:
  """Runs to the end, in stretches that stop where something is due."""
  intervals = [_LOG_INTERVAL, config.checkpoint_interval]
  if evaluation is not None:
    intervals.append(config.evaluation_interval)
  kind = config.agent.kind
  with process.StopRequest() as stop, progress_bar(console) as progress:
    bar = progress.add_task(kind, total=config.learner_steps, unit='updates')
    while True:
      if evaluation is not None and evaluation.is_due(trainer.steps):
        evaluation.run(trainer)
        progress.update(bar, description=f'{kind}: {evaluation}')
      is_due = trainer.steps % config.checkpoint_interval == 0
      if trainer.is_done or stop.signal or (is_due and trainer.steps):
        trainer.save()
      progress.update(bar, completed=trainer.steps)
      if trainer.is_done:
        return
      stop.check()
      trainer.learn(min(i - trainer.steps % i for i in intervals))


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)
  words = options.with_kind(sys.argv[1:])

  def work() -> dict[str, Any]:
    agent = options.agent_of(words, OfflineConfig.agent)
    # The command line replaces the data; a default tells tyro of the agent.
    default = OfflineConfig(data=tyro.MISSING, agent=agent)
    program = process.program('launchers.offline')
    config = tyro.cli(OfflineConfig, default=default, args=words, prog=program)
    return train(config, console)

  return options.run_command(console, work)


if __name__ == '__main__':
  sys.exit(main())
