"""Makes a log as BCQ was published on, and learns from it.

  python -m launchers.recipe final-buffer --task hopper-hop

It is other commands, one after another, each with a directory of its own in the
recipe's: `online` in behaviour/, `demonstrate` in demonstrations/, `offline` in
learner/. The same command again goes on where it was.
"""

from pathlib import Path
import sys
from typing import Any, Optional

from rich.console import Console
import tyro

from agents.config import AgentConfig
from launchers import command_line, demonstrate, offline, online, options
from launchers.acting.demonstrating import DemonstrateConfig
from launchers.hosts import process
from launchers.runs.frozen import freeze
from launchers.runs.offline_config import OfflineConfig
from launchers.runs.online_config import OnlineConfig
from launchers.runs.recipe_config import RecipeConfig
from launchers.runs.run_directory import RunDirectory
from teachers import registry

_WIDE, _USUAL = 0.5, 0.1  # A DDPG's noise.
_NOISE, _RANDOM_SHARE = 0.3, 0.3  # Of imperfect demonstrations.


def cook(config: RecipeConfig, console: Console) -> dict[str, Any]:
  """Goes on until the agent has learned.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types: that of each command, and where the log is.

  Raises:
    stops.StoppedError: a signal came; what was made is saved.
    ValueError: the options, the environment or what is there do not fit.
    OSError: something cannot be read or written.
  """
  from launchers.acting import places  # MuJoCo, which --help does without.

  task = places.describe(config.task, config.action_bound).task
  if config.teacher:
    registry.load(
      config.teacher, task, 'actions', on_trouble=options.trouble_on(console)
    )
  directory = RunDirectory(config.root)
  with options.inhabited(directory):
    freeze(config, directory.root)
    if config.recipe == 'concurrent':
      return _concurrent(config, console)
    result, log = (
      _by_a_teacher(config, console)
      if config.is_by_a_teacher
      else _final_buffer(config, console)
    )
    console.print(f'The log: {log}', soft_wrap=True, highlight=False)
    result['learner'] = offline.train(_offline(config, log), console)
    return result


def _final_buffer(
  config: RecipeConfig, console: Console
) -> tuple[dict[str, Any], Path]:
  """All that a DDPG saw that explored widely."""
  behaviour = _online(config, config.log_episodes, _WIDE)
  log = _episodes(behaviour)
  return _result(log, behaviour=online.train(behaviour, console)), log


def _concurrent(config: RecipeConfig, console: Console) -> dict[str, Any]:
  """All that a DDPG sees, learned from while it sees it."""
  behaviour = _online(config, config.log_episodes, _USUAL, config.agent)
  result = online.train(behaviour, console)
  learner = result.pop('pupil')
  return _result(_episodes(behaviour), behaviour=result, learner=learner)


def _by_a_teacher(
  config: RecipeConfig, console: Console
) -> tuple[dict[str, Any], Path]:
  """What somebody does who does not learn any more."""
  teacher, made = config.teacher, {}
  if not teacher:
    behaviour = _online(config, config.teacher_episodes, _USUAL)
    made['behaviour'] = online.train(behaviour, console)
    teacher = made['behaviour']['best']
    if teacher is None:
      raise ValueError(
        f'{config.root / "behaviour"} has no best snapshot, for no evaluation '
        'went well: look at the environment, or name a --teacher.'
      )
  is_imperfect = config.recipe == 'imperfect'
  log = config.root / 'demonstrations'
  made['demonstrations'] = demonstrate.demonstrate(
    DemonstrateConfig(
      teacher,
      log,
      task=config.task,
      episodes=config.log_episodes,
      noise=_NOISE if is_imperfect else 0.0,
      random_share=_RANDOM_SHARE if is_imperfect else 0.0,
      labels=False,  # Whoever imitates is to imitate what was done.
      episode_steps=config.episode_steps,
      action_bound=config.action_bound,
      seed=config.seed,
    ),
    console,
  )
  return _result(log, **made), log


def _result(log: Path, **made: Any) -> dict[str, Any]:
  return {'log': str(log), **made}


def _online(
  config: RecipeConfig,
  episodes: int,
  noise: float,
  pupil: Optional[AgentConfig] = None,
) -> OnlineConfig:
  """A DDPG that does one update for each step of an episode."""
  return OnlineConfig(
    task=config.task,
    action_bound=config.action_bound,
    seed=config.seed,
    name='behaviour',
    episodes=episodes,
    random_episodes=config.random_episodes,
    uniform_start=True,
    episode_steps=config.episode_steps,
    updates_per_episode=config.episode_steps,
    acting_noise=noise,
    final_acting_noise=noise,
    evaluation_interval=max(
      1, config.evaluation_interval // config.episode_steps
    ),
    evaluation_episodes=config.evaluation_episodes,
    agent=config.behaviour,
    pupil=pupil,
    runs=config.root,
  )


def _episodes(behaviour: OnlineConfig) -> Path:
  return behaviour.runs / behaviour.run_name / 'episodes'


def _offline(config: RecipeConfig, log: Path) -> OfflineConfig:
  return OfflineConfig(
    data=(log,),
    agent=config.agent,
    task=config.task,
    seed=config.seed,
    name='learner',
    learner_steps=config.updates,
    checkpoint_interval=config.evaluation_interval,
    evaluation_interval=config.evaluation_interval,
    evaluation_episodes=config.evaluation_episodes,
    action_bound=config.action_bound,
    episode_steps=config.episode_steps,
    runs=config.root,
  )


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)
  words = options.with_kind(sys.argv[1:])

  def work() -> dict[str, Any]:
    agent = options.agent_of(words, RecipeConfig.agent)
    default = RecipeConfig(tyro.MISSING, agent=agent)
    config = command_line.parse(
      RecipeConfig, 'launchers.recipe', words, default
    )
    return cook(config, console)

  return options.run_command(console, work)


if __name__ == '__main__':
  sys.exit(main())
