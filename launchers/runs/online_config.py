"""What a teacher's training by online interaction is."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Optional

import tyro

from agents.config import AgentConfig
from agents.d4pg.config import D4PGConfig
from datasets import bounds
from launchers.environments import names
from launchers.runs import run_names

EVALUATION_EPISODES: bounds.Bound = (2, 100_000)
"""The best snapshot is told by the spread of its returns; one has none."""


@dataclasses.dataclass(frozen=True)
class OnlineConfig:
  """Online learning of one task, to make a teacher or a log."""

  task: str = 'cartpole-swingup'
  """A dm_control suite task (domain-task), `gymnasium:ID`, a name of
  dm_control's manipulation or locomotion, or `module:factory?name=value` that
  gives a dm_env.Environment or a gymnasium.Env."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say; None: one that
  does not say is refused."""
  seed: int = 0
  """Every random number derives from it."""
  name: str = ''
  """The directory's name under runs/; empty: online-TASK-SEED."""
  episodes: int = 300
  """Episodes to act."""
  random_episodes: int = 5
  """First episodes, acted by the untrained policy with a noise of 1 (see
  acting_noise)."""
  uniform_start: bool = False
  """... instead by uniformly random actions."""
  episode_steps: int = 1_000
  """Environment steps after which an episode is cut (not terminated)."""
  updates_per_episode: int = 500
  """Learner steps after each episode."""
  acting_noise: float = 0.3
  """Standard deviation of the Gaussian noise at the start, action units; a
  policy that is a distribution draws from itself instead, unless this is 0."""
  final_acting_noise: float = 0.1
  """... and at the end; it falls linearly."""
  evaluation_interval: int = 10
  """Episodes between two evaluations, snapshots and checkpoints."""
  evaluation_episodes: int = 20
  """Episodes per evaluation, 2 or more; of few, the best of many is rather
  lucky than good."""
  max_refused_fraction: float = 0.25
  """Share of the episodes that may fail, because the environment raises or
  gives NaN, before the command does."""
  agent: AgentConfig = D4PGConfig()
  """Its options; `--agent KIND` chooses another, and with it its options."""
  pupil: tyro.conf.Suppress[Optional[AgentConfig]] = None
  """Another agent, which learns from the same episodes, as much; of
  `launchers.recipe concurrent`."""
  runs: Path = Path('runs')
  """The directory that holds the run directories."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour; the task gets its one name."""
    bounds.check(
      self, action_bound=(bounds.ABOVE_0, 1e9), seed=bounds.SEED,
      episodes=(1, 10_000_000), random_episodes=(0, None),
      episode_steps=(1, 10_000_000), updates_per_episode=(1, None),
      acting_noise=(0, 10), final_acting_noise=(0, 10),
      evaluation_interval=(1, None), evaluation_episodes=EVALUATION_EPISODES,
      max_refused_fraction=(0, 100),
    )  # fmt: skip
    object.__setattr__(self, 'task', names.canonical(self.task))
    run_names.check(self.run_name)

  @property
  def run_name(self) -> str:
    """The directory's name under runs/."""
    return self.name or f'online-{names.slug(self.task)}-{self.seed}'

  def to_json(self) -> dict[str, Any]:
    """The configuration as plain data."""
    tree = dataclasses.asdict(self)
    del tree['runs']
    return json.loads(json.dumps(tree, default=str))
