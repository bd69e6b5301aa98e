"""What a study is: its runs and its claims. `study_file` reads one."""

from collections.abc import Mapping, Sequence
import dataclasses
import fnmatch
import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from agents import registry
from launchers.environments import names
from launchers.runs.config import GrowingBatchConfig

Options = Mapping[str, Any]

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

_LONGEST_TASK = 40  # Characters, of the 100 that a run's name may have.

AXES = ('task', 'tier', 'seed', 'cycles', 'method')


class StudyError(ValueError):
  """A study file that cannot be run; the message names file, key and remedy."""


@dataclasses.dataclass(frozen=True)
class Cell:
  """One run of a study.

  Attributes:
    task: a control task.
    tier: of its teacher, `expert` or `mid`.
    seed: of the run.
    cycles: N_c.
    method: one of METHODS, or of the study's own.
    config: the whole run; its name tells cells apart, also those of two
      studies, so that equal cells are run once.
  """

  task: str
  tier: str
  seed: int
  cycles: int
  method: str
  config: GrowingBatchConfig

  @property
  def name(self) -> str:
    """The run's name."""
    return self.config.run_name

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
    return named(config, f'start-{_short(self.task)}-{self.tier}-{self.seed}')

  @classmethod
  def of(cls, config: GrowingBatchConfig, tier: str, method: str) -> 'Cell':
    """The cell of a configuration, which gets its name."""
    task, seed, cycles = config.task, config.seed, config.cycles
    name = f'{_short(task)}-{tier}-{method}-{cycles}-{seed}'
    return cls(task, tier, seed, cycles, method, named(config, name))


@dataclasses.dataclass(frozen=True)
class Test:
  """One comparison of a measure, over all tasks and seeds of the study.

  Attributes:
    measure: a name of `study_measures.MEASURES`.
    method: whose.
    bound: a number, or the method that it is compared with.
    is_above: whether it should lie above the bound, or else below.
    where: axis to value: only these cells.
  """

  measure: str
  method: str
  bound: float | str
  is_above: bool
  where: Options


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
    cells: the runs, in the order in which they are run.
    claims: what the study is to decide.
    teachers: of a task, the address of each tier that is not TASK/TIER.
  """

  name: str
  title: str
  baseline: str
  cells: tuple[Cell, ...]
  claims: tuple[Claim, ...]
  teachers: Mapping[str, Mapping[str, str]]

  def teacher(self, task: str, tier: str) -> str:
    """The address of a task's teacher of a tier."""
    return address_of(self.teachers, task, tier)

  @property
  def starts(self) -> dict[str, GrowingBatchConfig]:
    """The shared cycles 0, by name, in the order of the cells."""
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


def _short(task: str) -> str:
  """A task in a run's name, whose digest tells long ones apart."""
  return names.slug(task)[:_LONGEST_TASK].strip('-.')


def directory(runs: Path, kind: Literal['starts', 'cells', 'reports']) -> Path:
  """Where the studies' runs are; all studies share them."""
  return runs / 'studies' / kind


def named(config: GrowingBatchConfig, prefix: str) -> GrowingBatchConfig:
  """Adds what tells apart two configurations of the same axes.

  Only what differs from the defaults counts: an option that is new, and whose
  default is what was done before, leaves the names of finished runs alone.
  """
  plain = GrowingBatchConfig().to_json()
  agent = dataclasses.asdict(registry.find(config.agent.kind).config())
  kind = plain['agent']['kind']
  plain['agent'] = {**json.loads(json.dumps(agent)), 'kind': kind}
  tree = {**config.to_json(), 'name': plain['name']}
  text = json.dumps(_changes(plain, tree), sort_keys=True).encode()
  digest = hashlib.sha256(text).hexdigest()[:8]
  return dataclasses.replace(config, name=f'{prefix}-{digest}')


def _changes(plain: Options, tree: Options) -> dict[str, Any]:
  """The leaves of `tree` that are not those of `plain`."""
  found: dict[str, Any] = {}
  for key, value in tree.items():
    default = plain.get(key)
    if isinstance(value, dict) and isinstance(default, Mapping):
      value = _changes(default, value) or default
    if value != default:
      found[key] = value
  return found


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
