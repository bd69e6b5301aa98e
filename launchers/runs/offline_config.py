"""What a training from files is."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Optional

import tyro

from agents.bc.config import BCConfig
from agents.config import AgentConfig
from datasets import bounds
from launchers.environments import names
from launchers.runs import run_names

EVALUATION_EPISODES: bounds.Bound = (1, 100_000)
"""The last policy is published, whatever its returns."""


@dataclasses.dataclass(frozen=True)
class OfflineConfig:
  """Trains an agent on logged episodes, with no environment in the loop."""

  data: tuple[Path, ...] = ()
  """Directories of episodes: of a run's cycle, of demonstrate, annotate
  or online; several are learned from together."""
  agent: AgentConfig = BCConfig()
  """Its options; `--agent KIND` chooses another, and with it its options."""
  task: str = ''
  """Where the policy is evaluated while it trains; empty: nowhere."""
  first_episodes: Optional[int] = None
  """Learn from so many of each directory, in the order of their identities: of
  `online`, those that it acted first. None: all."""
  seed: int = 0
  """Every random number derives from it."""
  name: str = ''
  """The directory's name under runs/; empty: offline-AGENT-SEED."""
  learner_steps: int = 100_000
  """Updates."""
  checkpoint_interval: int = 5_000
  """Updates between two checkpoints: the most that a kill makes it repeat."""
  evaluation_interval: int = 10_000
  """Updates between two evaluations, where a task is named."""
  evaluation_episodes: int = 10
  """Episodes per evaluation."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  episode_steps: int = 1_000
  """Environment steps after which an evaluation's episode is cut."""
  runs: Path = Path('runs')
  """The directory that holds the run directories."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    if self.data is tyro.MISSING:
      return  # Defaults alone; the command line has yet to say what.
    most = (1, 1_000_000_000)
    bounds.check(
      self, first_episodes=most, learner_steps=most, checkpoint_interval=most,
      evaluation_interval=most, evaluation_episodes=EVALUATION_EPISODES,
      episode_steps=(1, 10_000_000), action_bound=(bounds.ABOVE_0, 1e9),
      seed=bounds.SEED,
    )  # fmt: skip
    places = [path.resolve() for path in self.data]
    for place in places:
      if places.count(place) > 1:
        raise ValueError(
          f'--data names {place} more than once, so that its episodes would '
          'count more than once: name each directory once.'
        )
    if self.task:
      object.__setattr__(self, 'task', names.canonical(self.task))
    run_names.check(self.run_name)

  @property
  def run_name(self) -> str:
    """The directory's name under runs/."""
    return self.name or f'offline-{self.agent.kind}-{self.seed}'

  def to_json(self) -> dict[str, Any]:
    """The configuration as plain data."""
    tree = dataclasses.asdict(self)
    del tree['runs']
    tree['data'] = [path.resolve() for path in self.data]
    return json.loads(json.dumps(tree, default=str))
