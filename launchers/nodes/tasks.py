"""The task of a run: settled when it starts, read by its nodes.

So that no node but those that act holds an environment, and that an environment
which has become another one is noticed.
"""

from pathlib import Path

from datasets import files
from launchers.acting import places
from launchers.environments import described
from launchers.environments.base import Description
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory


def settle(config: GrowingBatchConfig, directory: RunDirectory) -> Description:
  """Describes the run's environment and writes that to its directory.

  Raises:
    ValueError: see `describe`.
  """
  new = describe(config, directory)
  directory.write_json(directory.task, new.to_json())
  if not config.has_simulator:
    text = Path(config.task).read_text(encoding='utf-8')
    files.write_text(directory.system, text)
  return new


def describe(
  config: GrowingBatchConfig, directory: RunDirectory
) -> Description:
  """What the run's environment is; nothing is written.

  Raises:
    ValueError: there is none that can be learned, or it is not the one that
      the run began with.
  """
  new = places.describe(config.task, config.action_bound)
  path = directory.task
  tree = directory.read_json(path)
  if tree is not None:
    changes = new.task.differences(Description.from_json(tree).task)
    if not changes and directory.system.exists():
      system = described.load(Path(config.task))
      changes = system.differences(described.load(directory.system))
    if changes:
      raise ValueError(
        f'The environment {config.task} is not the one that this run began '
        f'with: {"; ".join(changes)}. Bring that one back, or start another '
        'run with another --name.'
      )
  return new


def load(config: GrowingBatchConfig, directory: RunDirectory) -> Description:
  """What was settled."""
  tree = directory.read_json(directory.task)
  return Description.from_json(tree) if tree else settle(config, directory)
