"""What a recipe of a log is."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal, Optional

import tyro

from agents.bcq.config import BCQConfig
from agents.config import AgentConfig
from agents.ddpg.config import DDPGConfig
from datasets import bounds
from launchers.environments import names
from launchers.runs import offline_config, online_config, run_names

Recipe = Literal['final-buffer', 'concurrent', 'imitation', 'imperfect']

_UPDATES = 1_000_000
_BY_A_TEACHER = ('imitation', 'imperfect')


@dataclasses.dataclass(frozen=True)
class RecipeConfig:
  """The logs that BCQ was published on, and an agent that learns from them."""

  recipe: tyro.conf.Positional[Recipe]
  """Which log. final-buffer: all that a DDPG saw that explored widely.
  concurrent: all that one sees, learned from while it sees it. imitation: what
  a trained one does. imperfect: ... with noise, and random actions between."""
  task: str = 'hopper-hop'
  """As of `online`."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  agent: AgentConfig = BCQConfig()
  """Who learns from the log; `--agent KIND` chooses another, and with it its
  options."""
  behaviour: AgentConfig = DDPGConfig()
  """Who acts, or is trained to be the teacher."""
  teacher: str = ''
  """Of imitation and imperfect, who acts, as of `demonstrate`; empty: a DDPG is
  trained first."""
  episodes: Optional[int] = None
  """Of the log; None: as published, of 1,000 steps each: 1,000, of imperfect
  100."""
  teacher_episodes: int = 1_000
  """In which that DDPG is trained."""
  random_episodes: int = 25
  """The first of any DDPG, of uniformly random actions."""
  episode_steps: int = 1_000
  """Environment steps in an episode, at most; and a DDPG's updates after it."""
  learner_steps: Optional[int] = None
  """Updates of the agent; None: 1,000,000. In concurrent it does as many as the
  DDPG."""
  evaluation_interval: int = 5_000
  """Updates between two evaluations, and checkpoints."""
  evaluation_episodes: int = 10
  """Episodes per evaluation; 2 or more, unless a --teacher acts."""
  seed: int = 0
  """Every random number derives from it."""
  name: str = ''
  """The directory's name under runs/; empty: RECIPE-TASK-SEED."""
  runs: Path = Path('runs')
  """The directory that holds the run directories."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    most = (1, 1_000_000_000)
    by = offline_config if self.teacher else online_config
    bounds.check(
      self, action_bound=(bounds.ABOVE_0, 1e9), episodes=(1, 10_000_000),
      teacher_episodes=(1, 10_000_000), random_episodes=(0, None),
      episode_steps=(1, 10_000_000), learner_steps=most,
      evaluation_interval=most, evaluation_episodes=by.EVALUATION_EPISODES,
      seed=bounds.SEED,
    )  # fmt: skip
    object.__setattr__(self, 'task', names.canonical(self.task))
    if self.recipe is tyro.MISSING:
      return  # Defaults alone; the command line has yet to say which.
    run_names.check(self.run_name)
    if self.teacher and not self.is_by_a_teacher:
      raise ValueError(
        f'In {self.recipe}, a DDPG acts while it learns; --teacher is '
        f'{self.teacher!r}. Leave it out, or choose one of {_BY_A_TEACHER}.'
      )
    if self.learner_steps is not None and self.recipe == 'concurrent':
      raise ValueError(
        f'learner_steps is {self.learner_steps}; in concurrent, the agent does '
        'one update for each step of an episode, like the DDPG. Leave it out, '
        'and choose the episodes.'
      )

  @property
  def is_by_a_teacher(self) -> bool:
    """Whether who acts does not learn meanwhile."""
    return self.recipe in _BY_A_TEACHER

  @property
  def log_episodes(self) -> int:
    """Episodes of the log."""
    published = 100 if self.recipe == 'imperfect' else 1_000
    return self.episodes or published

  @property
  def updates(self) -> int:
    """Updates of the agent."""
    if self.recipe == 'concurrent':
      return self.log_episodes * self.episode_steps
    return self.learner_steps or _UPDATES

  @property
  def run_name(self) -> str:
    """The directory's name under runs/."""
    slug = names.slug(self.task)
    return self.name or f'{self.recipe}-{slug}-{self.seed}'

  @property
  def root(self) -> Path:
    """The directory of all of it."""
    return self.runs / self.run_name

  def to_json(self) -> dict[str, Any]:
    """The configuration as plain data, with its numbers resolved."""
    tree = dataclasses.asdict(self)
    del tree['runs']
    tree |= {'episodes': self.log_episodes, 'learner_steps': self.updates}
    return json.loads(json.dumps(tree, default=str))
