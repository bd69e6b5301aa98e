"""Trains an agent from files: python -m launchers.offline --agent bc --data D.

No simulator is needed; where a task is named, the policy is evaluated in it
while it trains. The same command again goes on where it was.
"""

import sys
from typing import TYPE_CHECKING, Any, Optional

from rich.console import Console
import tyro

from agents.config import AgentConfig
from datasets.tasks import Task
from launchers import command_line, options
from launchers.acting.outcomes import ActingStoppedError
from launchers.display import progress_bar
from launchers.hosts import process, stops
from launchers.runs.frozen import freeze
from launchers.runs.offline_config import OfflineConfig
from launchers.runs.run_directory import RunDirectory

if TYPE_CHECKING:
  from launchers.training.evaluations import OfflineEvaluations
  from launchers.training.offline import Log, OfflineTrainer

_LOG_INTERVAL = 100  # Updates from one row of metrics.csv to the next.


def train(config: OfflineConfig, console: Console) -> dict[str, Any]:
  """Trains, or goes on, to the end.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types.

  Raises:
    stops.StoppedError: a signal came; what was learned is saved.
    ValueError: the data or the options do not fit.
    OSError: something cannot be read or written.
  """
  # TensorFlow takes seconds, which a refusal of the options need not wait for.
  from launchers.training.evaluations import OfflineEvaluations
  from launchers.training.offline import OfflineTrainer

  if not config.data:
    raise ValueError('Nothing to learn from is named. Give --data DIRECTORY.')
  evaluations = OfflineEvaluations(config) if config.task else None
  task = evaluations.task if evaluations else None
  log = _load(config, task, console)
  if task and task.spec != log.spec:  # Of episodes that do not say their task.
    raise ValueError(
      f'{config.task} has observations and actions of widths '
      f'{tuple(task.spec)}, but the data are of widths {tuple(log.spec)}. Name '
      'their --task, or none.'
    )
  directory = RunDirectory(config.runs / config.run_name)
  with options.inhabited(directory):
    freeze(config, directory.root)
    trainer = OfflineTrainer(
      config.agent, log, directory, config.seed, config.learner_steps
    )
    if evaluations is None:
      console.print('No --task is named, so nothing is evaluated.')
    _warn_of_padding(config.agent, log.longest, console)
    _learn(config, trainer, evaluations, console)
    policy = trainer.publish({'config': config.to_json()})
  return {
    'policy': str(policy),
    'agent': config.agent.kind,
    'episodes': log.num_episodes,
    'transitions': log.memory.num_transitions,
    'learner_steps': trainer.steps,
    'digest': trainer.policy().digest,
    'return_mean': evaluations.last_return if evaluations else None,
  }


def _load(
  config: OfflineConfig, task: Optional[Task], console: Console
) -> 'Log':
  """Reads all episodes into memory."""
  from launchers.training.offline import Log

  with progress_bar(console) as progress:
    bar = progress.add_task('reading the data', total=None, unit='episodes')

    def report(done: int, total: int) -> None:
      progress.update(bar, completed=done, total=total)

    return Log(config.data, config.agent, task, report, config.first_episodes)


def _warn_of_padding(
  agent: AgentConfig, longest: int, console: Console
) -> None:
  """Says what snippets that no episode fills cost."""
  if agent.snippet_length > longest:
    most = agent.num_items * longest
    console.print(
      f'No episode of the data has more than {longest} steps, and '
      f'--agent.snippet-length is {agent.snippet_length}: what is beyond an '
      f"episode's end counts for nothing, so an update learns from {most} "
      f'transitions at most, where --agent.batch-size says {agent.batch_size}.',
      style='bold yellow', markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def _learn(
  config: OfflineConfig,
  trainer: 'OfflineTrainer',
  evaluations: Optional['OfflineEvaluations'],
  console: Console,
) -> None:
  """Runs to the end, in stretches that stop where something is due."""
  intervals = [_LOG_INTERVAL, config.checkpoint_interval]
  if evaluations is not None:
    intervals.append(config.evaluation_interval)
  kind = config.agent.kind
  with stops.StopRequest() as stop, progress_bar(console) as progress:
    bar = progress.add_task(kind, total=config.learner_steps, unit='updates')
    while True:
      if evaluations is not None and evaluations.is_due(trainer.steps):
        try:
          evaluations.run(
            trainer.root, trainer.steps, trainer.networks,
            lambda: stop.signal is not None,
          )  # fmt: skip
        except ActingStoppedError:
          trainer.save()
          stop.check()
        progress.update(
          bar, description=f'{kind}: {evaluations}', completed=trainer.steps
        )
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
    default = OfflineConfig(tyro.MISSING, agent)
    config = command_line.parse(
      OfflineConfig, 'launchers.offline', words, default
    )
    return train(config, console)

  return options.run_command(console, work, goes_on=True)


if __name__ == '__main__':
  sys.exit(main())
