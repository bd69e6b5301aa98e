"""What the command that records demonstrations and its processes share.

No MuJoCo is imported here, so that --help is quick.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple, Optional

from datasets import bounds


@dataclasses.dataclass(frozen=True)
class DemonstrateConfig:
  """Records episodes of a teacher in the format that runs read."""

  teacher: str
  """A shipped snapshot (TASK/TIER), the path of one, module:factory?args of
  your own Python, or grpc://host:port."""
  directory: Path
  """Where the episodes go, one file each."""
  task: str = ''
  """The task; empty: the one that the snapshot names."""
  episodes: int = 1_000
  """Number of episodes."""
  noise: float = 0.0
  """Standard deviation of the Gaussian noise on the teacher's actions, in
  action units ([-1, 1]); the teacher's own action is kept as the label. A
  policy that is a distribution draws from itself instead, unless this is 0."""
  random_share: float = 0.0
  """How often, of all steps, a uniformly random action is done instead."""
  labels: bool = True
  """Keep the teacher's own actions. Without them, what was done is all there is
  to imitate."""
  episode_steps: int = 1_000
  """Environment steps in an episode, at most."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  max_refused_fraction: float = 0.25
  """Share of the episodes that may fail, because the environment raises or
  gives NaN, before the command does."""
  seed: int = 0
  """Seed of the initial states and of the noise."""
  processes: int = 1
  """Processes that record at the same time, each with its own teacher."""

  def __post_init__(self) -> None:
    """Refuses what cannot be recorded."""
    bounds.check(
      self, episodes=(1, 10_000_000), noise=(0, 10),
      random_share=(0, 1), episode_steps=(1, 10_000_000),
      action_bound=(bounds.ABOVE_0, 1e9),
      max_refused_fraction=(0, 100), seed=bounds.SEED, processes=(1, 1_000),
    )  # fmt: skip


_FREE = (
  'teacher', 'directory', 'episodes', 'max_refused_fraction', 'processes',
)  # fmt: skip
"""Options under which an episode is the same."""


class Order(NamedTuple):
  """What every process of this start must know.

  Attributes:
    config: of the command.
    task: its name.
    version: the teacher's, which each process must find the same.
  """

  config: DemonstrateConfig
  task: str
  version: str

  def to_json(self) -> dict[str, Any]:
    """What makes the episodes what they are, as plain data.

    Not the teacher: each episode has its version, and its address may change.
    """
    options = dataclasses.asdict(self.config)
    kept = {k: v for k, v in options.items() if k not in _FREE}
    tree = {'kind': 'demonstrations', **kept, 'task': self.task}
    return json.loads(json.dumps(tree))


class Recorded(NamedTuple):
  """What the summary tells of an episode."""

  episode_return: float
  num_steps: int


Attempt = tuple[int, int]
"""The index of an episode, and how often it has failed before."""
