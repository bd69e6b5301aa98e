"""A run of a study, whatever kind of run it is."""

import abc
import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Cell(abc.ABC):
  """One run of a study, or a column of it that is of the same run.

  Attributes:
    task: that it acts or is evaluated in.
    tier: of its teacher, `expert` or `mid`; of a training from a log, the log.
    seed: of the run.
    cycles: N_c; 1 of a training from a log.
    method: by its name in the study.
    config: the whole run; its name tells cells apart, also those of two
      studies, so that equal cells are run once.
  """

  task: str
  tier: str
  seed: int
  cycles: int
  method: str
  config: Any

  @property
  def name(self) -> str:
    """The run's name."""
    return self.config.run_name

  @property
  def part(self) -> str:
    """What of the run the column is about; '': the policy."""
    return ''

  @property
  def column(self) -> str:
    """Names the run and the part of it."""
    return f'{self.name}:{self.part}' if self.part else self.name

  @property
  def run(self) -> 'Cell':
    """The column of the run's policy."""
    return self

  @property
  @abc.abstractmethod
  def start(self) -> Any:
    """The configuration of what it begins with and shares with others."""

  @property
  @abc.abstractmethod
  def learner_steps(self) -> int:
    """Of the whole run."""

  @property
  @abc.abstractmethod
  def evaluation_interval(self) -> int:
    """Learner steps."""

  @property
  @abc.abstractmethod
  def configuration(self) -> dict[str, Any]:
    """The whole run as plain data, without a path of this machine."""
