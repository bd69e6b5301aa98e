"""The hyper-parameters of BEAR with a KL constraint."""

from collections.abc import Mapping
import dataclasses
from typing import ClassVar, Literal

from agents.actor_critic.config import BehaviourModel
from agents.svg.config import PriorSVGConfig
from datasets import bounds


@dataclasses.dataclass(frozen=True)
class BEARConfig(BehaviourModel, PriorSVGConfig):
  """The hyper-parameters of BEAR with a KL constraint (P004, table 4).

  Attributes:
    kind: the agent's name.
    snippet_length: transitions in a row.
    num_acting_samples: actions of which the deployed policy takes the best.
  """

  kind: Literal['bear'] = 'bear'
  snippet_length: int = 1
  num_acting_samples: int = 20

  limits: ClassVar[Mapping[str, bounds.Bound]] = {
    **PriorSVGConfig.limits, 'num_acting_samples': (1, 10_000)
  }  # fmt: skip
