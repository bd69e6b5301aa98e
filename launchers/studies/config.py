"""What a study is: its runs and its claims. `study_file` reads one."""

from collections.abc import Mapping, Sequence
import dataclasses
import fnmatch
import json
from pathlib import Path
from typing import Any, Literal, Union

from agents import registry
from launchers.runs.config import GrowingBatchConfig
from launchers.studies import naming
from launchers.studies.cell import Cell
from launchers.studies.naming import Options
from launchers.studies.offline import LogConfig, OfflineCell

METHODS: dict[str, Options] = {
  'none': {'kind': 'none'},
  'bc_fixed': {'kind': 'bc_fixed', 'weight': 0.5},
  'bc_decay_r1': {'kind': 'bc_decay', 'decay_rate': 1.0},
  'bc_decay_r5': {'kind': 'bc_decay', 'decay_rate': 5.0},
  'between_r1': {'kind': 'between', 'decay_rate': 1.0},
  'between_r5': {'kind': 'between', 'decay_rate': 5.0},
  'teacher_action_r1': {'kind': 'teacher_action', 'decay_rate': 1.0},
  'teacher_action_r5': {'kind': 'teacher_action', 'decay_rate': 5.0},
  'q_filter': {'kind': 'q_filter'},
  'teacher_grad_r1': {'kind': 'teacher_grad', 'decay_rate': 1.0},
  'teacher_grad_r5': {'kind': 'teacher_grad', 'decay_rate': 5.0},
}
"""The methods of section A.7 with the values of P002's experiments."""

CELLS = Path('studies/results/cells')
"""Where finished cells are kept, if nobody says."""

AXES = ('task', 'tier', 'seed', 'cycles', 'method')
"""Of a study of growing-batch runs."""

LOG_AXES = ('task', 'log', 'seed', 'method')
"""Of a study of logs."""


class StudyError(ValueError):
  """A study file that cannot be run; the message names file, key and remedy."""


@dataclasses.dataclass(frozen=True)
class RunCell(Cell):
  """A growing-batch run."""

  @property
  def learner_steps(self) -> int:
    """Of the whole run."""
    return self.config.total_learner_steps

  @property
  def evaluation_interval(self) -> int:
    """Learner steps."""
    return self.config.evaluation.interval

  @property
  def configuration(self) -> dict[str, Any]:
    """The whole run as plain data."""
    return self.config.to_json()

  @property
  def start(self) -> GrowingBatchConfig:
    """The run of cycle 0 alone that this cell shares with other methods."""
    plain = GrowingBatchConfig()
    entry = registry.find(self.config.agent.kind)
    agent = dataclasses.replace(
      self.config.agent,
      **{name: getattr(entry.config, name) for name in entry.later_options},
    )
    config = dataclasses.replace(
      self.config,
      name='',
      agent=agent,
      objective=registry.default_objective(agent, plain.objective),
      acting_noise=plain.acting_noise,
      evaluation=dataclasses.replace(
        self.config.evaluation, interval=0, episodes=1
      ),
      cycles=0,
      actor_steps=0,
      learner_steps=0,
      mix_demonstrations=False,
    )
    short = naming.short(self.task)
    return named(config, f'start-{short}-{self.tier}-{self.seed}')

  @classmethod
  def of(cls, config: GrowingBatchConfig, tier: str, method: str) -> 'RunCell':
    """The cell of a configuration, which gets its name."""
    task, seed, cycles = config.task, config.seed, config.cycles
    name = f'{naming.short(task)}-{tier}-{method}-{cycles}-{seed}'
    return cls(task, tier, seed, cycles, method, named(config, name))


Start = Union[GrowingBatchConfig, LogConfig]
"""What several cells begin with: a cycle 0, or a log."""


@dataclasses.dataclass(frozen=True)
class Test:
  """One comparison of a measure, over all tasks and seeds of the study.

  Attributes:
    measure: a name of `study_measures.MEASURES`.
    method: whose.
    bound: a number, or the method that it is compared with.
    is_above: whether it should lie above the bound, or else below.
    where: axis to value: only these cells.
    times: of a method to compare with, how many times its measure.
  """

  measure: str
  method: str
  bound: float | str
  is_above: bool
  where: Options
  times: float = 1.0


@dataclasses.dataclass(frozen=True)
class Claim:
  """A statement of the paper, and the tests that decide it."""

  id: str
  text: str
  tests: tuple[Test, ...]


@dataclasses.dataclass(frozen=True)
class Study:
  """A study, as its file says it.

  Attributes:
    name: the file's name without its ending.
    title: for people.
    baseline: the method that the others are compared with.
    columns: what is compared: the runs, or of trainings from logs the policy
      and the prior of each, in the order of the file.
    claims: what the study is to decide.
    teachers: of a task, the address of each tier that is not TASK/TIER.
  """

  name: str
  title: str
  baseline: str
  columns: tuple[Cell, ...]
  claims: tuple[Claim, ...]
  teachers: Mapping[str, Mapping[str, str]]

  @property
  def cells(self) -> tuple[Cell, ...]:
    """The runs, in the order in which they are run."""
    return tuple({c.name: c.run for c in self.columns}.values())

  @property
  def is_of_logs(self) -> bool:
    """Whether its runs are trainings from logs."""
    return any(isinstance(cell, OfflineCell) for cell in self.columns)

  @property
  def axes(self) -> tuple[str, ...]:
    """By which its runs are told apart."""
    return LOG_AXES if self.is_of_logs else AXES

  def teacher(self, task: str, tier: str) -> str:
    """The address of a task's teacher of a tier."""
    return address_of(self.teachers, task, tier)

  @property
  def starts(self) -> dict[str, Start]:
    """The shared cycles 0 or logs, by name, in the order of the cells."""
    return {cell.start.run_name: cell.start for cell in self.cells}


def address_of(
  teachers: Mapping[str, Mapping[str, str]], task: str, tier: str
) -> str:
  """The address of a task's teacher: a snapshot, unless another one is named.

  Args:
    teachers: of a task, the address of each tier that is not TASK/TIER.
    task: its canonical name.
    tier: of the teacher.

  Raises:
    ValueError: the task is of a person's own, and no teacher is named.
  """
  named_ones = teachers.get(task, {})
  if tier not in named_ones and ':' in task:
    raise ValueError(
      f'no teacher of tier {tier!r} is named for {task}. Add a table: '
      f"[teachers.'{task}'] with {tier} = 'ADDRESS', as after --teacher."
    )
  return named_ones.get(tier, f'{task}/{tier}')


def directory(
  runs: Path, kind: Literal['starts', 'cells', 'reports', 'jobs']
) -> Path:
  """Where the studies' runs are; all studies share them."""
  return runs / 'studies' / kind


def named(config: GrowingBatchConfig, prefix: str) -> GrowingBatchConfig:
  """Adds what tells apart two configurations of the same axes."""
  plain = GrowingBatchConfig().to_json()
  agent = dataclasses.asdict(registry.find(config.agent.kind).config())
  kind = plain['agent']['kind']
  plain['agent'] = {**json.loads(json.dumps(agent)), 'kind': kind}
  tree = {**config.to_json(), 'name': plain['name']}
  name = f'{prefix}-{naming.digest(tree, plain)}'
  return dataclasses.replace(config, name=name)


def chosen(study: Study, patterns: Sequence[str]) -> list[Cell]:
  """The cells whose names fit one of some shell patterns; of none, all.

  Raises:
    StudyError: a pattern fits no cell.
  """
  names = [cell.name for cell in study.cells]
  for pattern in patterns:
    if not fnmatch.filter(names, pattern):
      raise StudyError(
        f'{study.name} has no run {pattern!r}. Its first is {names[0]!r}; a '
        "star stands for anything, as in 'finger-spin-*'."
      )
  return [
    cell
    for cell in study.cells
    if not patterns or any(fnmatch.fnmatch(cell.name, p) for p in patterns)
  ]
