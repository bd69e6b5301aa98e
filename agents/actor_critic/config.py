"""The hyper-parameters that agents with a Gaussian policy share."""

from collections.abc import Mapping
import dataclasses
from typing import ClassVar, Literal

from agents import config
from agents.config import AgentConfig
from datasets import bounds

Filter = Literal['everything', 'advantageous', 'exponential']
"""Which logged actions a prior imitates: functions of agents.parts.snippets."""


@dataclasses.dataclass(frozen=True)
class ActorCriticConfig(AgentConfig):
  """The hyper-parameters of an agent with a Gaussian policy (P004, table 1).

  Attributes:
    policy_layer_sizes: widths of the policy's, and a prior's, hidden layers.
    critic_layer_sizes: widths of the critic's hidden layers.
    min_variance: of the policy, and a prior, in each dimension.
    learning_rate: Adam's step size for the networks.
    dual_learning_rate: Adam's step size for multipliers and temperatures.
    batch_size: transitions in an update.
    snippet_length: transitions in a row; an update has batch_size /
      snippet_length such rows.
    discount: weight of a reward one step later.
    num_samples: actions that stand for a distribution.
    target_update_period: updates between two copies of the target networks.
    gradient_norm: bound of the global norm of each network's gradient.
  """

  policy_layer_sizes: tuple[int, ...] = (256, 256)
  critic_layer_sizes: tuple[int, ...] = (256, 256, 256)
  min_variance: float = 0.01
  learning_rate: float = 2e-4
  dual_learning_rate: float = 2e-4
  batch_size: int = 512
  snippet_length: int = 10
  discount: float = 0.99
  num_samples: int = 20
  target_update_period: int = 200
  gradient_norm: float = 40.0

  limits: ClassVar[Mapping[str, bounds.Bound]] = {
    'policy_layer_sizes': bounds.WIDTH, 'critic_layer_sizes': bounds.WIDTH,
    'min_variance': (bounds.ABOVE_0, 100), 'batch_size': (1, 10_000_000),
    'learning_rate': (bounds.ABOVE_0, 1e6),
    'dual_learning_rate': (bounds.ABOVE_0, 1e6),
    'snippet_length': (1, 10_000), 'discount': (0, 1),
    'num_samples': (1, 10_000), 'target_update_period': (1, None),
    'gradient_norm': (bounds.ABOVE_0, None),
  }  # fmt: skip

  def __post_init__(self) -> None:
    """Refuses what cannot be trained."""
    bounds.check(self, **self.limits)
    config.check_layer_sizes(self, 'policy_layer_sizes', 'critic_layer_sizes')

  @property
  def filters(self) -> tuple[Filter, ...]:
    """What each of the priors imitates; () where there is none."""
    return ()


class BehaviourModel:
  """Mixed into the configuration of an agent whose prior imitates the log."""

  @property
  def filters(self) -> tuple[Filter, ...]:
    """See `ActorCriticConfig`."""
    return ('everything',)


@dataclasses.dataclass(frozen=True)
class AdvantageModel:
  """Mixed into the configuration of an agent whose prior is selective.

  Attributes:
    advantage_filter: which logged actions the prior imitates: 'advantageous',
      those of advantage 0 and more; 'exponential', all, the better the more.
  """

  advantage_filter: Literal['advantageous', 'exponential'] = 'advantageous'

  @property
  def filters(self) -> tuple[Filter, ...]:
    """See `ActorCriticConfig`."""
    return (self.advantage_filter,)
