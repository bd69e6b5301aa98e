"""The one tree of options. The command line and config.json are made from it.

`GrowingBatchConfig` is what a run *is*: it is written to the run directory and
another one under the same name is refused. `launch_config` has how it is run
this time. No module here imports TensorFlow, so `--help` is quick.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, Optional

from agents import registry as agents_registry
from agents.config import AgentConfig, CloningConfig, ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from datasets import bounds
from datasets.types import EpisodeId
from launchers.environments import names
from launchers.runs import run_names
from launchers.runs.gate_config import GateConfig
from teachers import logged, registry, snapshot, untrained

_MOST_ACTORS = 1_000


@dataclasses.dataclass(frozen=True)
class DemonstrationConfig:
  """The data of cycle 0, from a teacher (A.2)."""

  teacher: str = ''
  """Another teacher for the demonstrations alone; empty: the run's teacher."""
  path: Optional[Path] = None
  """A directory written by launchers.demonstrate; None: recorded by the run."""
  episodes: int = 1_000
  """Number of demonstration episodes."""
  noise: float = 0.0
  """Standard deviation of the Gaussian noise on the teacher's actions, in
  action units ([-1, 1]); the teacher's own action stays the label. A policy
  that is a distribution draws from itself instead, unless this is 0."""

  def __post_init__(self) -> None:
    """Refuses values that no run could honour; cloning needs an episode."""
    bounds.check(self, episodes=(1, 10_000_000), noise=(0, 10))


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
  """How policies are measured, always without noise."""

  interval: int = 100
  """Learner steps between two evaluations of the online policy; 0: never."""
  episodes: int = 1
  """Episodes per such evaluation."""
  final_episodes: int = 10
  """Episodes for the policy of each cycle, and for the teacher; 0: none."""

  def __post_init__(self) -> None:
    """Refuses values that no run could honour."""
    most = 100_000
    bounds.check(
      self, interval=(0, None), episodes=(0, most), final_episodes=(0, most)
    )

  def episodes_of(self, kind: str) -> int:
    """Episodes of an evaluation: `interval`, `final` or `teacher`."""
    return self.episodes if kind == 'interval' else self.final_episodes


@dataclasses.dataclass(frozen=True)
class GrowingBatchConfig:
  """A growing-batch run. The defaults are the paper's (sections A.1 to A.5)."""

  name: str = ''
  """The run's name; empty: TASK-OBJECTIVE-SEED."""
  task: str = 'cartpole-swingup'
  """A dm_control suite task (domain-task), `gymnasium:ID`, a name of
  dm_control's manipulation or locomotion, `module:factory?name=value` that
  gives a dm_env.Environment or a gymnasium.Env, or a file (PLANT.toml) that
  describes a system whose episodes come from outside."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say; None: one that
  does not say is refused."""
  seed: int = 0
  """Every random number of the run derives from it."""
  cycles: int = 4
  """Number of deployments after cloning, N_c."""
  actor_steps: int = 2_000_000
  """Environment steps over all cycles, T_act; whole episodes in each cycle."""
  teacher: str = ''
  """Who demonstrates, and advises where the objective asks: a shipped snapshot
  (TASK/TIER), the path of one, `untrained`, `module:factory?name=value` of
  your own Python, or `grpc://host:port`; empty: TASK/expert if that ships, else
  untrained."""
  teacher_nodes: Optional[int] = None
  """Processes that serve the advising teacher to the others; 0: whoever asks
  holds it; None: 1 for Python of your own, else 0."""
  samples_per_insert: float = 32.0
  """Times a transition is sampled on average; it sets the learner steps to
  actor_steps * samples_per_insert / batch_size."""
  learner_steps: Optional[int] = None
  """Updates over all cycles, T_lrn; None: from samples_per_insert."""
  episode_steps: int = 1_000
  """Environment steps after which an episode is cut (not terminated)."""
  acting_noise: float = 0.3
  """Standard deviation of the actors' Gaussian noise, in action units; a policy
  that is a distribution draws from itself instead, unless this is 0."""
  num_actors: int = 1
  """Actor processes of this host; what is collected does not depend on their
  number. 0: workers on other hosts act alone; see launchers.join."""
  critic_pretrain_steps: int = 50_000
  """Updates of policy evaluation on the demonstrations (A.3)."""
  mix_demonstrations: bool = False
  """Whether the demonstrations are sampled together with the cycles."""
  checkpoint_interval: int = 1_000
  """Updates between two checkpoints of the learner: the most that a kill
  makes it compute again."""
  max_refused_fraction: float = 0.25
  """Share of a cycle's episodes that may fail (the environment raises, gives
  NaN, ...) or be refused by the curator before the run fails."""
  agent: AgentConfig = D4PGConfig()
  objective: ObjectiveConfig = ObjectiveConfig()
  cloning: CloningConfig = CloningConfig()
  demonstrations: DemonstrationConfig = DemonstrationConfig()
  evaluation: EvaluationConfig = EvaluationConfig()
  gate: GateConfig = GateConfig()

  def __post_init__(self) -> None:
    """Refuses values that no run could honour; the task gets its one name."""
    bounds.check(
      self, action_bound=(bounds.ABOVE_0, 1e9), seed=bounds.SEED,
      cycles=(0, 10_000), actor_steps=(0, None), teacher_nodes=(0, 64),
      samples_per_insert=(0, 1e6), learner_steps=(0, None),
      episode_steps=(1, 10_000_000), acting_noise=(0, 10),
      num_actors=(0, _MOST_ACTORS), critic_pretrain_steps=(0, None),
      checkpoint_interval=(1, None), max_refused_fraction=(0, 100),
    )  # fmt: skip
    object.__setattr__(self, 'task', names.canonical(self.task))
    run_names.check(self.run_name)
    self._check_simulator()
    agents_registry.check_objective(self.agent, self.objective.kind)
    if (
      self.objective.uses_teacher_actions
      and self.mix_demonstrations
      and (self.demonstrations.path or self.demonstrator != self.advisor)
    ):
      raise ValueError(
        f'{self.objective.kind} with mix_demonstrations needs the '
        "demonstrations of the advising teacher; leave demonstrations' teacher "
        'and path empty.'
      )
    share = self.cycles * self.episode_steps
    if self.cycles and self.actor_steps % share:
      raise ValueError(
        f'actor_steps is {self.actor_steps}, which is no multiple of cycles * '
        f'episode_steps = {share}: each cycle takes whole episodes. Use '
        f'{_multiples(self.actor_steps, share)}.'
      )
    if self.cycles and self.total_learner_steps % self.cycles:
      raise ValueError(
        f'{self.total_learner_steps} learner steps do not divide into '
        f'{self.cycles} equal cycles; set --learner-steps to '
        f'{_multiples(self.total_learner_steps, self.cycles)}.'
      )

  def _check_simulator(self) -> None:
    """A system that is only described has nothing to act or evaluate in."""
    if self.has_simulator:
      return
    evaluation = self.evaluation
    for option, value in (
      ('--num-actors', self.num_actors),
      ('--evaluation.interval', evaluation.interval),
      ('--evaluation.final-episodes', evaluation.final_episodes),
      ('--demonstrations.teacher', self.demonstrations.teacher),
    ):
      if value:
        raise ValueError(
          f'{self.task} only describes a system, in which nobody can act here; '
          f'{option} is {value}: leave it out.'
        )

  @property
  def has_simulator(self) -> bool:
    """Whether the run can act in its task; if not, episodes come to it."""
    return not names.is_described(self.task)

  @property
  def run_name(self) -> str:
    """The directory's name under runs/."""
    task = names.slug(self.task)
    return self.name or f'{task}-{self.objective.kind}-{self.seed}'

  @property
  def advisor(self) -> str:
    """The teacher's address; see `teachers.registry`."""
    expert = f'{self.task}/expert'
    default = expert if snapshot.is_shipped(expert) else untrained.NAME
    return self.teacher or default

  @property
  def demonstrator(self) -> str:
    """The address of the teacher whose demonstrations are cloned."""
    if not self.has_simulator:
      return logged.NAME
    return self.demonstrations.teacher or self.advisor

  @property
  def uses_advice(self) -> bool:
    """Whether a teacher is asked after the demonstrations."""
    objective = self.objective
    return objective.uses_teacher_actions or objective.uses_teacher_gradients

  @property
  def num_teachers(self) -> int:
    """Teacher nodes of the program."""
    is_asked = self.uses_advice or self.demonstrator == self.advisor
    if not is_asked or registry.is_service(self.advisor):
      return 0
    if self.teacher_nodes is None:
      return int(registry.is_python(self.advisor))
    return self.teacher_nodes

  @property
  def total_learner_steps(self) -> int:
    """T_lrn, over all cycles."""
    if self.learner_steps is not None:
      return self.learner_steps
    samples = self.actor_steps * self.samples_per_insert
    return int(samples / self.agent.batch_size)

  @property
  def decay_steps(self) -> int:
    """Learner steps over which alpha falls."""
    return self.objective.decay_steps or max(self.total_learner_steps, 1)

  @property
  def learner_steps_per_cycle(self) -> int:
    """Updates in each cycle."""
    return self.total_learner_steps // max(self.cycles, 1)

  @property
  def gate_updates(self) -> int:
    """Updates of the gate's fit."""
    return self.gate.updates or max(self.learner_steps_per_cycle // 10, 1)

  def noise_in(self, cycle: int) -> float:
    """Standard deviation of the noise of whoever acts in `cycle`."""
    return self.demonstrations.noise if cycle == 0 else self.acting_noise

  def episodes_in(self, cycle: int) -> int:
    """Episodes that `cycle` collects; cycle 0 holds the demonstrations."""
    if cycle == 0:
      return self.demonstrations.episodes
    return self.actor_steps // (self.cycles * self.episode_steps)

  def wants(self, identity: EpisodeId) -> bool:
    """Whether an episode of this identity is one of the run's."""
    run, cycle, actor, episode = identity
    return (
      run == self.run_name
      and 0 <= cycle <= self.cycles
      and 0 <= episode < self.episodes_in(cycle)
      and 0 <= actor < _MOST_ACTORS
    )

  def to_json(self) -> dict[str, Any]:
    """The tree as plain data, with the derived numbers resolved."""
    tree = dataclasses.asdict(self)
    tree['name'] = self.run_name
    tree['learner_steps'] = self.total_learner_steps
    tree['teacher'] = self.advisor
    tree['demonstrations']['teacher'] = self.demonstrator
    return json.loads(json.dumps(tree, default=str))


DEMO = GrowingBatchConfig(
  name='demo',
  actor_steps=160_000,
  learner_steps=32_000,
  critic_pretrain_steps=2_000,
  agent=D4PGConfig(
    policy_layer_sizes=(128, 128),
    critic_layer_sizes=(128, 128),
    policy_learning_rate=3e-4,
    critic_learning_rate=3e-4,
  ),
  mix_demonstrations=True,
  objective=ObjectiveConfig('bc_decay', decay_rate=1.0),
  cloning=CloningConfig(steps=6_000, learning_rate=1e-3),
  demonstrations=DemonstrationConfig(episodes=5, noise=0.2),
  evaluation=EvaluationConfig(interval=500, episodes=2, final_episodes=10),
)
"""A run of some minutes that shows the whole circle."""


def _multiples(number: int, share: int) -> str:
  """The multiples below and above a number, as far as they are above 0."""
  below = number // share * share
  return ' or '.join(str(n) for n in (below, below + share) if n > 0)
