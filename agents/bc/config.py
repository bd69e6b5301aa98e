"""The hyper-parameters of behaviour cloning by itself."""

import dataclasses
from typing import Literal

from agents import config
from agents.config import AgentConfig
from datasets import bounds


@dataclasses.dataclass(frozen=True)
class BCConfig(AgentConfig):
  """The hyper-parameters of behaviour cloning as an agent.

  Attributes:
    kind: the agent's name.
    policy_layer_sizes: widths of the policy's hidden layers.
    learning_rate: Adam's step size.
    batch_size: demonstrated states in an update.
    gradient_norm: bound of the global norm of the gradient.
  """

  kind: Literal['bc'] = 'bc'
  policy_layer_sizes: tuple[int, ...] = (256, 256, 256)
  learning_rate: float = 1e-4
  batch_size: int = 256
  gradient_norm: float = 40.0

  def __post_init__(self) -> None:
    """Refuses what cannot be trained."""
    bounds.check(
      self, policy_layer_sizes=bounds.WIDTH,
      learning_rate=(bounds.ABOVE_0, 1e6), batch_size=(1, 10_000_000),
      gradient_norm=(bounds.ABOVE_0, None),
    )  # fmt: skip
    config.check_layer_sizes(self, 'policy_layer_sizes')
