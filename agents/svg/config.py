"""The hyper-parameters of SVG(0), plain and with a prior."""

from collections.abc import Mapping
import dataclasses
from typing import ClassVar, Literal

from agents.actor_critic.config import (
  ActorCriticConfig,
  AdvantageModel,
  BehaviourModel,
)
from datasets import bounds


@dataclasses.dataclass(frozen=True)
class SVGConfig(ActorCriticConfig):
  """The hyper-parameters of SVG(0) (P004, table 1).

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['svg'] = 'svg'


@dataclasses.dataclass(frozen=True)
class PriorSVGConfig(ActorCriticConfig):
  """The hyper-parameters of SVG(0) that is held to a prior.

  Attributes:
    epsilon: how far the policy may be from the prior, a KL.
    initial_multiplier: of that bound, at the start.
    multiplier_floor: the least that it becomes.
  """

  epsilon: float = 0.2
  initial_multiplier: float = 1.0
  multiplier_floor: float = 1e-3

  limits: ClassVar[Mapping[str, bounds.Bound]] = {
    **ActorCriticConfig.limits, 'epsilon': bounds.POSITIVE,
    'initial_multiplier': bounds.POSITIVE, 'multiplier_floor': bounds.POSITIVE,
  }  # fmt: skip


@dataclasses.dataclass(frozen=True)
class BMSVGConfig(BehaviourModel, PriorSVGConfig):
  """The hyper-parameters of SVG(0) that is held to the behaviour model.

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['bm_svg'] = 'bm_svg'


@dataclasses.dataclass(frozen=True)
class ABMSVGConfig(AdvantageModel, PriorSVGConfig):
  """The hyper-parameters of SVG(0) that is held to the filtered model.

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['abm_svg'] = 'abm_svg'
