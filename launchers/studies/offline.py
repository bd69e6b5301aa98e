"""The cells of a study of logs: trainings from files, and the logs they share.

  python -m launchers.offline --agent AGENT --data LOG --task TASK

is what a cell is; where its log comes from, a `LogConfig` says.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, Optional

from agents import registry
from launchers.runs.offline_config import OfflineConfig
from launchers.studies import naming
from launchers.studies.cell import Cell
from launchers.studies.naming import Options

PRIOR = 'prior'
"""What a column may be of, besides the policy: METHOD:prior."""

GIVEN = ('data', 'first_episodes', 'name', 'runs', 'seed', 'task')
"""Options of launchers.offline that the study gives, and not its file."""


@dataclasses.dataclass(frozen=True)
class LogConfig:
  """How the log of a task and a seed comes to be; cells share it.

  Attributes:
    task: what it was acted in.
    log: its name in the study.
    seed: that it is made with; 0 of one that is there already.
    make: 'module:function?name=value', which makes it; launchers.study_cell
      says how it is called.
    data: or the directories where it is.
    first_episodes: so many of each directory; None: all.
  """

  task: str
  log: str
  seed: int
  make: str = ''
  data: tuple[str, ...] = ()
  first_episodes: Optional[int] = None

  @property
  def run_name(self) -> str:
    """Of the directory in which it is made, and looked at."""
    prefix = f'log-{naming.short(self.task)}-{self.log}-{self.seed}'
    return f'{prefix}-{naming.digest(self.to_json(), {})}'

  def to_json(self) -> dict[str, Any]:
    """The configuration as plain data.

    Names are made of all of it: an option to come is left out of it where it
    says nothing.
    """
    return json.loads(json.dumps(dataclasses.asdict(self)))

  def directories(self, root: Path) -> tuple[Path, ...]:
    """Where its episodes are.

    Args:
      root: the directory in which it is made, if it is.
    """
    return tuple(map(Path, self.data)) or (root / 'episodes',)


@dataclasses.dataclass(frozen=True)
class OfflineCell(Cell):
  """A training from a log: its policy, or the prior beside it.

  Attributes:
    source: how its log comes to be.
    of: PRIOR, or '' of the policy.
  """

  source: LogConfig
  of: str = ''

  @property
  def log(self) -> str:
    """What groups it with others of its method."""
    return self.tier

  @property
  def start(self) -> LogConfig:
    """The log, which several share."""
    return self.source

  @property
  def part(self) -> str:
    """See `Cell`."""
    return self.of

  @property
  def run(self) -> 'OfflineCell':
    """The column of the run's policy."""
    method = self.method.partition(':')[0]
    return dataclasses.replace(self, method=method, of='')

  @property
  def learner_steps(self) -> int:
    """Of the whole run."""
    return self.config.learner_steps

  @property
  def evaluation_interval(self) -> int:
    """Learner steps."""
    return self.config.evaluation_interval

  @property
  def configuration(self) -> dict[str, Any]:
    """The whole run as plain data, without a path of this machine."""
    return configuration_of(self.config.to_json(), self.source.to_json())


def column_of(
  config: OfflineConfig, source: LogConfig, method: str
) -> OfflineCell:
  """The column of a configuration, whose run gets its name."""
  plain = OfflineConfig(agent=registry.find(config.agent.kind).config())
  default = {**plain.to_json(), 'name': config.name}
  default['agent']['kind'] = OfflineConfig.agent.kind
  tree = configuration_of(config.to_json(), source.to_json())
  short, log, seed = naming.short(config.task), source.log, config.seed
  policy, _, part = method.partition(':')
  name = f'{short}-{log}-{policy}-{seed}-{naming.digest(tree, default)}'
  named = dataclasses.replace(config, name=name)
  return OfflineCell(config.task, log, seed, 1, method, named, source, part)


def configuration_of(run: Options, log: Options) -> dict[str, Any]:
  """The options of a run, with how its log came to be in place of where it is.

  Args:
    run: of launchers.offline.
    log: of `LogConfig`.
  """
  given = {'data', 'first_episodes'}
  return {**{k: v for k, v in run.items() if k not in given}, 'log': dict(log)}
