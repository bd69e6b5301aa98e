"""A tree of options in which some are others."""

from collections.abc import Mapping
import dataclasses
from typing import TypeVar

from agents import registry
from agents.config import AgentConfig
from datasets import closest
from datasets.schema import shortened
from launchers.studies.naming import Options

_Config = TypeVar('_Config')


def replace(config: _Config, options: Options) -> _Config:
  """A frozen tree of dataclasses with some of its leaves replaced.

  Raises:
    ValueError: there is no such option, and those there are; or its value is
      none that it takes.
  """
  known = [field.name for field in dataclasses.fields(config)]  # type: ignore[arg-type]
  changes = {}
  for name, value in options.items():
    if name not in known:
      raise ValueError(f'no option {name!r}.{closest.among(name, known)}')
    old = getattr(config, name)
    if dataclasses.is_dataclass(old):
      if not isinstance(value, Mapping):
        raise ValueError(
          f'{name} is {shortened(value)}; give a table of its options.'
        )
      if isinstance(old, AgentConfig) and 'kind' in value:
        old = registry.find(value['kind']).config()
      value = replace(old, value)
    changes[name] = tuple(value) if isinstance(value, list) else value
  return dataclasses.replace(config, **changes)  # type: ignore[type-var]
