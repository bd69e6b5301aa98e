"""From what a person writes after --task to an environment.

The forms are those of `launchers.environments.names`.
"""

from collections.abc import Callable
import inspect
from typing import Any, Optional

from datasets import addresses
from launchers.environments import names
from launchers.environments.base import Environment, reason_of
from launchers.environments.flatten import check_action_bound


def make(name: str, action_bound: Optional[float] = None) -> Environment:
  """The environment of a task.

  Args:
    name: see `launchers.environments.names`.
    action_bound: stands in for bounds that its actions lack.

  Raises:
    ValueError: there is no such environment, it cannot be made, or it is none
      that can be learned; says why.
  """
  check_action_bound(action_bound)
  name = names.canonical(name)
  if names.is_described(name):
    raise ValueError(
      f'{name} only describes a system: nobody can act in it here. Its '
      'episodes come from outside; see launchers.ingest.'
    )
  room, _, rest = name.partition('-')
  if not names.is_foreign(name):
    return _suite(name, action_bound)
  try:
    if name.startswith(names.GYMNASIUM):
      return _gymnasium(name, action_bound)
    if room in names.ROOMS and ':' not in name:
      return _composer(name, room, rest, action_bound)
    return _python(name, action_bound)
  except Exception as error:  # It runs anyone's constructor.
    said = str(error) if isinstance(error, ValueError) else reason_of(error)
    raise ValueError(f'{name} is no environment to learn in. {said}') from error


def _suite(name: str, action_bound: Optional[float]) -> Environment:
  if not names.is_suite(name):
    raise ValueError(
      f'{name!r} is no task.{names.closest(name)} Give a task of the '
      'dm_control suite as domain-task, gymnasium:ID, a name of '
      "dm_control's manipulation or locomotion, or module:factory of your own."
    )
  from launchers.environments import suite

  return suite.Environment(name, action_bound)


def _composer(
  name: str, room: str, rest: str, action_bound: Optional[float]
) -> Environment:
  if rest not in names.in_room(room):
    raise ValueError(
      f'dm_control has no such environment of features.{names.closest(name)}'
    )
  from launchers.environments import composer, dm_env_adapter

  def load(seed: int) -> Any:
    return composer.load(room, rest, seed)

  # Their models are compiled anew for each episode as it is.
  remake = load if room == 'locomotion' else None
  return dm_env_adapter.DmEnvEnvironment(name, load(0), action_bound, remake)


def _gymnasium(name: str, action_bound: Optional[float]) -> Environment:
  import gymnasium

  path, arguments = addresses.split(name)
  environment = gymnasium.make(
    path.removeprefix(names.GYMNASIUM),
    disable_env_checker=True,  # launchers.check_environment is ours.
    **arguments,
  )
  return _adapt(name, environment, action_bound)


def _python(name: str, action_bound: Optional[float]) -> Environment:
  path, arguments = addresses.split(name)
  try:
    factory = addresses.find(path)
  except ValueError as error:
    raise ValueError(f'{error}{names.closest(path)}') from error
  is_seeded = 'seed' in inspect.signature(factory).parameters
  is_seeded &= 'seed' not in arguments
  every = {**arguments, 'seed': 0} if is_seeded else arguments
  addresses.check_arguments(path, factory, every)
  if not is_seeded:
    return _adapt(name, factory(**arguments), action_bound)

  def remake(seed: int) -> Any:
    return factory(**arguments, seed=seed)

  return _adapt(name, remake(0), action_bound, remake)


def _adapt(
  name: str,
  environment: Any,
  action_bound: Optional[float],
  remake: Optional[Callable[[int], Any]] = None,
) -> Environment:
  """Which of the two kinds it is, without importing the other."""
  ancestors = {f'{c.__module__}.{c.__name__}' for c in type(environment).mro()}
  if 'dm_env._environment.Environment' in ancestors:
    from launchers.environments import dm_env_adapter as adapter

    if adapter.seed_function(environment):
      remake = None  # Which is quicker.
    return adapter.DmEnvEnvironment(name, environment, action_bound, remake)
  if 'gymnasium.core.Env' in ancestors:
    from launchers.environments.gymnasium_adapter import GymnasiumEnvironment

    return GymnasiumEnvironment(name, environment, action_bound)
  raise ValueError(
    f'It is {type(environment).__name__}, which is neither a '
    'dm_env.Environment nor a gymnasium.Env: derive it from one of them.'
  )
