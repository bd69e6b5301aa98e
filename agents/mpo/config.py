"""The hyper-parameters of MPO, plain and with a prior."""

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
class MPOConfig(ActorCriticConfig):
  """The hyper-parameters of MPO (P004, table 1).

  Attributes:
    kind: the agent's name.
    epsilon: how far the improved samples may be from the proposal, a KL.
    epsilon_mean: how far the policy's mean may go from the target's, a KL.
    epsilon_covariance: how far its spread may go, a KL.
    per_dimension: whether these two bounds are of each dimension, and not of
      their sum.
    initial_temperature: eta at the start.
    initial_multiplier: of the two bounds, at the start.
    multiplier_floor: the least that any of the three becomes.
  """

  kind: Literal['mpo'] = 'mpo'
  epsilon: float = 0.1
  epsilon_mean: float = 5e-3
  epsilon_covariance: float = 1e-5
  per_dimension: bool = False
  initial_temperature: float = 3.0
  initial_multiplier: float = 1.0
  multiplier_floor: float = 1e-3

  limits: ClassVar[Mapping[str, bounds.Bound]] = {
    **ActorCriticConfig.limits, 'epsilon': bounds.POSITIVE,
    'epsilon_mean': bounds.POSITIVE, 'epsilon_covariance': bounds.POSITIVE,
    'initial_temperature': bounds.POSITIVE,
    'initial_multiplier': bounds.POSITIVE, 'multiplier_floor': bounds.POSITIVE,
  }  # fmt: skip


@dataclasses.dataclass(frozen=True)
class BMMPOConfig(BehaviourModel, MPOConfig):
  """The hyper-parameters of MPO whose samples are of the behaviour model.

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['bm_mpo'] = 'bm_mpo'  # type: ignore[assignment]


@dataclasses.dataclass(frozen=True)
class ABMMPOConfig(AdvantageModel, MPOConfig):
  """The hyper-parameters of MPO whose samples are of the filtered model.

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['abm_mpo'] = 'abm_mpo'  # type: ignore[assignment]
