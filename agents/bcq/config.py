"""The hyper-parameters of BCQ, as published and as it was compared in P004."""

from collections.abc import Mapping
import dataclasses
from typing import ClassVar, Literal, Optional

from agents import config
from agents.config import AgentConfig
from datasets import bounds


@dataclasses.dataclass(frozen=True)
class BatchConstrainedConfig(AgentConfig):
  """The hyper-parameters of an agent that models the log by an autoencoder.

  Attributes:
    vae_layer_sizes: widths of the encoder's and the decoder's hidden layers.
    latent_size: of the autoencoder; None: twice the action's.
    critic_layer_sizes: widths of the critics' hidden layers.
    num_critics: critics that are trained.
    min_weight: lambda, of the lowest critic in a target; the rest is of the
      highest.
    kl_weight: of the divergence beside the reconstruction.
    num_candidates: actions that a target takes the best of.
    learning_rate: Adam's step size.
    batch_size: transitions in an update.
    discount: weight of a reward one step later.
    target_rate: share of the way that target networks go at a time.
    target_update_period: updates between two such steps.
    gradient_norm: bound of the global norm of each network's gradient.
  """

  vae_layer_sizes: tuple[int, ...] = (750, 750)
  latent_size: Optional[int] = None
  critic_layer_sizes: tuple[int, ...] = (400, 300)
  num_critics: int = 2
  min_weight: float = 0.75
  kl_weight: float = 0.5
  num_candidates: int = 10
  learning_rate: float = 1e-3
  batch_size: int = 100
  discount: float = 0.99
  target_rate: float = 0.005
  target_update_period: int = 1
  gradient_norm: float = 1e6

  limits: ClassVar[Mapping[str, bounds.Bound]] = {
    'vae_layer_sizes': bounds.WIDTH, 'latent_size': (1, 10_000),
    'critic_layer_sizes': bounds.WIDTH, 'num_critics': (1, 100),
    'min_weight': (0, 1), 'kl_weight': (0, 1e6),
    'num_candidates': (1, 10_000), 'learning_rate': (bounds.ABOVE_0, 1e6),
    'batch_size': (1, 10_000_000), 'discount': (0, 1), 'target_rate': (0, 1),
    'target_update_period': (1, None), 'gradient_norm': (bounds.ABOVE_0, None),
  }  # fmt: skip

  def __post_init__(self) -> None:
    """Refuses what cannot be trained."""
    bounds.check(self, **self.limits)
    layers = [name for name in self.limits if name.endswith('_layer_sizes')]
    config.check_layer_sizes(self, *layers)
    if self.target_rate < 1 and self.target_update_period != 1:
      raise ValueError(
        f'target_rate is {self.target_rate} and target_update_period '
        f'{self.target_update_period}; a rate below 1 needs a period of 1.'
      )


@dataclasses.dataclass(frozen=True)
class BCQConfig(BatchConstrainedConfig):
  """The hyper-parameters of BCQ (Fujimoto et al. 2019).

  Attributes:
    kind: the agent's name.
    perturbation_layer_sizes: widths of the perturbation's hidden layers.
    bound: Phi, the most that a generated action is perturbed by.
    num_acting_candidates: actions that the deployed policy takes the best of.
  """

  kind: Literal['bcq'] = 'bcq'
  perturbation_layer_sizes: tuple[int, ...] = (400, 300)
  bound: float = 0.05
  num_acting_candidates: int = 100

  limits: ClassVar[Mapping[str, bounds.Bound]] = {
    **BatchConstrainedConfig.limits, 'perturbation_layer_sizes': bounds.WIDTH,
    'bound': (0, 2), 'num_acting_candidates': (1, 10_000),
  }  # fmt: skip


@dataclasses.dataclass(frozen=True)
class OneCriticConfig(BCQConfig):
  """The hyper-parameters of BCQ without an ensemble (P004, table 3).

  Attributes:
    kind: the agent's name.
  """

  kind: Literal['bcq_one_critic'] = 'bcq_one_critic'  # type: ignore[assignment]
  vae_layer_sizes: tuple[int, ...] = (256, 256)
  latent_size: Optional[int] = 64
  perturbation_layer_sizes: tuple[int, ...] = (256, 256)
  critic_layer_sizes: tuple[int, ...] = (256, 256, 256)
  num_critics: int = 1
  bound: float = 0.25
  num_acting_candidates: int = 10
  learning_rate: float = 2e-4
  batch_size: int = 512
  target_rate: float = 1.0
  target_update_period: int = 200
