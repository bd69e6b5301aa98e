"""The hyper-parameters of the priors by themselves."""

import dataclasses
from typing import Literal

from agents.actor_critic.config import (
  ActorCriticConfig,
  AdvantageModel,
  BehaviourModel,
)


@dataclasses.dataclass(frozen=True)
class PriorConfig(ActorCriticConfig):
  """The hyper-parameters of a prior that is the policy (P004, D.3).

  Attributes:
    snippet_length: transitions in a row; the published |tau| = 2 is 1 of them
      and the state after it.
  """

  snippet_length: int = 1


@dataclasses.dataclass(frozen=True)
class BMConfig(BehaviourModel, PriorConfig):
  """The hyper-parameters of the behaviour model by itself.

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['bm'] = 'bm'


@dataclasses.dataclass(frozen=True)
class ABMConfig(AdvantageModel, PriorConfig):
  """The hyper-parameters of the filtered behaviour model by itself.

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['abm'] = 'abm'
