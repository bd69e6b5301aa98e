"""Trains a teacher with continual interaction, the usual online way.

  python -m launchers.online --task cartpole-swingup --agent d4pg

Acts one episode, learns from everything so far, and so on. Every episode is
kept in `episodes/` under the number that it was acted as, so that `python -m
launchers.offline --first-episodes N` learns from a phase. Every evaluation
writes a snapshot of policy and critic with its return; `best.npz` is the best
of them: the mean less two standard errors counts. The same command again goes
on where it was.
"""

from pathlib import Path
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console

from agents import registry
from launchers import command_line, options
from launchers.acting.outcomes import ActingStoppedError
from launchers.display import progress_bar
from launchers.hosts import process, stops
from launchers.runs.frozen import freeze
from launchers.runs.online_config import OnlineConfig
from launchers.runs.run_directory import RunDirectory

if TYPE_CHECKING:
  from launchers.training.evaluations import OnlineEvaluations
  from launchers.training.online import OnlineTrainer


def train(config: OnlineConfig, console: Console) -> dict[str, Any]:
  """Goes on until all episodes are acted.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types.

  Raises:
    stops.StoppedError: a signal came; what was learned is saved.
    ValueError: the options, the environment or what is there do not fit.
    TooManyFailuresError: too many episodes have failed.
  """
  # TensorFlow takes seconds, which a refusal of the options need not wait for.
  from launchers.acting.places import Places
  from launchers.training.online import OnlineTrainer

  def tell(line: str) -> None:
    console.print(
      line, style='yellow', markup=False, highlight=False, soft_wrap=True
    )

  places = Places(config.task, config.action_bound)
  options.warn_unless_seeded(places.description, console)
  directory = RunDirectory(config.runs / config.run_name)
  with options.inhabited(directory), stops.StopRequest() as stop:
    freeze(config, directory.root)
    trainer = OnlineTrainer(
      config, directory, places, tell, lambda: stop.signal is not None
    )
    trainer.restore()
    _go_on(config, trainer, stop, console)
  result = {
    'episodes': trainer.episodes,
    **_best(trainer.student.evaluations, directory.root, console),
  }
  if trainer.pupil is not None:
    root = directory.root / 'pupil'
    result['pupil'] = _best(trainer.pupil.evaluations, root, console)
  return result


def _best(
  evaluations: 'OnlineEvaluations', root: Path, console: Console
) -> dict[str, Any]:
  """What the summary tells of the best snapshot."""
  best, path = evaluations.best(), root / 'best.npz'
  if path.exists():
    mean, count = best.get('return_mean', '?'), best.get('episodes', '?')
    console.print(
      f'The best snapshot, of return {mean} after {count} episodes: {path}',
      soft_wrap=True, highlight=False,
    )  # fmt: skip
  else:
    console.print('There is no best snapshot: no evaluation went well.')
  return {
    'best': str(path) if path.exists() else None,
    'return_mean': float(best['return_mean']) if best else None,
  }


def _go_on(
  config: OnlineConfig,
  trainer: 'OnlineTrainer',
  stop: stops.StopRequest,
  console: Console,
) -> None:
  """Runs to the end, or saves where it is stopped."""
  with progress_bar(console) as progress:
    bar = progress.add_task(
      config.task, total=config.episodes, unit='episodes',
      completed=trainer.episodes,
    )  # fmt: skip
    try:
      while True:
        trainer.evaluate_if_due()
        if trainer.is_done or stop.signal or trainer.is_interval_over():
          trainer.save()
        last = trainer.student.evaluations.last_return()
        progress.update(
          bar,
          completed=trainer.episodes,
          description=f'{config.task}: {last}',
        )
        if trainer.is_done:
          return
        stop.check()
        trainer.step()
    except ActingStoppedError:
      trainer.save()
      stop.check()


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)
  words = options.with_kind(sys.argv[1:])

  def work() -> dict[str, Any]:
    agent = options.agent_of(words, OnlineConfig.agent)
    registry.check_online(agent)
    default = OnlineConfig(agent=agent)
    config = command_line.parse(
      OnlineConfig, 'launchers.online', words, default
    )
    return train(config, console)

  return options.run_command(console, work, goes_on=True)


if __name__ == '__main__':
  sys.exit(main())
