"""The hyper-parameters of DDPG."""

import dataclasses
from typing import Literal

from agents import config
from agents.config import AgentConfig
from datasets import bounds


@dataclasses.dataclass(frozen=True)
class DDPGConfig(AgentConfig):
  """The hyper-parameters of DDPG, as it made the logs of BCQ (C.5).

  Attributes:
    kind: the agent's name.
    policy_layer_sizes: widths of the policy's hidden layers.
    critic_layer_sizes: widths of the critic's hidden layers.
    learning_rate: Adam's step size.
    batch_size: transitions in an update.
    discount: weight of a reward one step later.
    target_rate: share of the way that target networks go after an update.
    gradient_norm: bound of the global norm of each network's gradient.
  """

  kind: Literal['ddpg'] = 'ddpg'
  policy_layer_sizes: tuple[int, ...] = (400, 300)
  critic_layer_sizes: tuple[int, ...] = (400, 300)
  learning_rate: float = 1e-3
  batch_size: int = 100
  discount: float = 0.99
  target_rate: float = 0.005
  gradient_norm: float = 1e6

  def __post_init__(self) -> None:
    """Refuses what cannot be trained."""
    bounds.check(
      self, policy_layer_sizes=bounds.WIDTH, critic_layer_sizes=bounds.WIDTH,
      learning_rate=(bounds.ABOVE_0, 1e6), batch_size=(1, 10_000_000),
      discount=(0, 1), target_rate=(0, 1),
      gradient_norm=(bounds.ABOVE_0, None),
    )  # fmt: skip
    config.check_layer_sizes(self, 'policy_layer_sizes', 'critic_layer_sizes')
