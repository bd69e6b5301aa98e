"""The hyper-parameters of D4PG."""

import dataclasses
from typing import Literal

from agents import config
from agents.config import AgentConfig
from datasets import bounds


@dataclasses.dataclass(frozen=True)
class D4PGConfig(AgentConfig):
  """The hyper-parameters of D4PG.

  Attributes:
    kind: the agent's name.
    policy_layer_sizes: widths of the policy's hidden layers.
    critic_layer_sizes: widths of the critic's hidden layers.
    vmin: lowest return that the critic can represent.
    vmax: highest return that the critic can represent.
    num_atoms: atoms of the critic's distribution.
    policy_learning_rate: Adam's step size for the policy.
    critic_learning_rate: Adam's step size for the critic.
    batch_size: transitions in an update.
    n_step: rewards summed before the critic bootstraps.
    discount: weight of a reward one step later.
    target_update_period: updates between two copies of the target networks.
    action_gradient_norm: bound of each example's dQ/da.
    gradient_norm: bound of the global norm of each network's gradient.
    policy_loss_observation: state at which the policy is improved: 'first',
      where the transition starts; 'last', where it ends.
  """

  kind: Literal['d4pg'] = 'd4pg'
  policy_layer_sizes: tuple[int, ...] = (256, 256, 256)
  critic_layer_sizes: tuple[int, ...] = (256, 256, 256)
  vmin: float = -150.0
  vmax: float = 150.0
  num_atoms: int = 51
  policy_learning_rate: float = 1e-4
  critic_learning_rate: float = 1e-4
  batch_size: int = 256
  n_step: int = 5
  discount: float = 0.99
  target_update_period: int = 100
  action_gradient_norm: float = 1.0
  gradient_norm: float = 40.0
  policy_loss_observation: Literal['first', 'last'] = 'first'

  def __post_init__(self) -> None:
    """Refuses what cannot be trained."""
    bounds.check(
      self, policy_layer_sizes=bounds.WIDTH, critic_layer_sizes=bounds.WIDTH,
      vmin=(-1e9, 1e9), vmax=(-1e9, 1e9), num_atoms=(2, 10_001),
      policy_learning_rate=(bounds.ABOVE_0, 1e6),
      critic_learning_rate=(bounds.ABOVE_0, 1e6),
      batch_size=(1, 10_000_000), n_step=(1, 10_000), discount=(0, 1),
      target_update_period=(1, None),
      action_gradient_norm=(bounds.ABOVE_0, None),
      gradient_norm=(bounds.ABOVE_0, None),
    )  # fmt: skip
    config.check_layer_sizes(self, 'policy_layer_sizes', 'critic_layer_sizes')
    if not self.vmin < self.vmax:
      raise ValueError(
        f'vmin is {self.vmin}, vmax is {self.vmax}; it must be vmin < vmax.'
      )
