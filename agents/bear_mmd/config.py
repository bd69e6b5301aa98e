"""The hyper-parameters of BEAR with an MMD constraint."""

from collections.abc import Mapping
import dataclasses
from typing import ClassVar, Literal

from agents.bcq.config import BatchConstrainedConfig
from datasets import bounds


@dataclasses.dataclass(frozen=True)
class BEARMMDConfig(BatchConstrainedConfig):
  """The hyper-parameters of BEAR (Kumar et al. 2019), of its official code.

  Attributes:
    kind: the agent's name.
    policy_layer_sizes: widths of the policy's hidden layers.
    dual_learning_rate: Adam's step size for the multiplier.
    epsilon: how far the policy may be from the generator, an MMD.
    kernel: of the MMD; the published width of a Gaussian one is 20.
    kernel_width: sigma of the kernel.
    num_matched_samples: actions of the policy, and of the generator, that the
      MMD compares, and over which the policy's value is a mean.
    num_acting_samples: actions of which the deployed policy takes the best.
    warm_up_steps: first updates, in which the policy is led to the generator
      and by no value: 20 epochs, of 1,000 each in the published command.
    initial_log_multiplier: logarithm of the MMD's weight at the start; the
      official code draws it.
    least_log_multiplier: the least that it becomes.
    greatest_log_multiplier: the most that it becomes.
  """

  kind: Literal['bear_mmd'] = 'bear_mmd'
  policy_layer_sizes: tuple[int, ...] = (400, 300)
  dual_learning_rate: float = 1e-3
  epsilon: float = 0.05
  kernel: Literal['laplacian', 'gaussian'] = 'laplacian'
  kernel_width: float = 10.0
  num_matched_samples: int = 5
  num_acting_samples: int = 10
  warm_up_steps: int = 20_000
  initial_log_multiplier: float = 0.0
  least_log_multiplier: float = -5.0
  greatest_log_multiplier: float = 10.0

  limits: ClassVar[Mapping[str, bounds.Bound]] = {
    **BatchConstrainedConfig.limits, 'policy_layer_sizes': bounds.WIDTH,
    'dual_learning_rate': (bounds.ABOVE_0, 1e6), 'epsilon': bounds.POSITIVE,
    'kernel_width': bounds.POSITIVE, 'num_matched_samples': (1, 10_000),
    'num_acting_samples': (1, 10_000), 'warm_up_steps': (0, None),
    'initial_log_multiplier': (-50, 50), 'least_log_multiplier': (-50, 50),
    'greatest_log_multiplier': (-50, 50),
  }  # fmt: skip

  def __post_init__(self) -> None:
    """Refuses what cannot be trained."""
    super().__post_init__()
    low, first, high = (
      self.least_log_multiplier,
      self.initial_log_multiplier,
      self.greatest_log_multiplier,
    )
    if not low <= first <= high:
      raise ValueError(
        f'initial_log_multiplier is {first}; it must be between '
        f'least_log_multiplier, {low}, and greatest_log_multiplier, {high}.'
      )
