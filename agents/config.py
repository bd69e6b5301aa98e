"""The agents' hyper-parameters. No TensorFlow: a command line reads them."""

import dataclasses
from typing import Literal, Optional, get_args

Kind = Literal[
  'none', 'bc_fixed', 'bc_decay', 'between',
  'teacher_action', 'q_filter', 'teacher_grad',
]  # fmt: skip
DecayForm = Literal['normalised', 'plain']
FilterCritic = Literal['online', 'target', 'cycle_start']


@dataclasses.dataclass(frozen=True)
class D4PGConfig:
  """The hyper-parameters of D4PG.

  Attributes:
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
    for name in ('policy_layer_sizes', 'critic_layer_sizes'):
      sizes = getattr(self, name)
      if not sizes or min(sizes) < 1:
        raise ValueError(f'{name} is {sizes}; give one or more widths >= 1.')
    if not self.vmin < self.vmax:
      raise ValueError(
        f'vmin is {self.vmin}, vmax is {self.vmax}; it must be vmin < vmax.'
      )
    _check_at_least(self, 2, 'num_atoms')
    _check_at_least(self, 1, 'batch_size', 'n_step', 'target_update_period')
    _check_positive(
      self,
      'policy_learning_rate',
      'critic_learning_rate',
      'action_gradient_norm',
      'gradient_norm',
    )
    if not 0 <= self.discount <= 1:
      raise ValueError(f'discount is {self.discount}; it must be in [0, 1].')
    _check_choice(self, 'policy_loss_observation', ('first', 'last'))


@dataclasses.dataclass(frozen=True)
class CloningConfig:
  """The hyper-parameters of behaviour cloning.

  Attributes:
    steps: most updates.
    learning_rate: Adam's step size.
    batch_size: demonstrated states in an update.
    held_out_fraction: part of the demonstrations that is only evaluated on.
    evaluation_interval: updates between two evaluations.
    patience: evaluations without improvement after which cloning stops.
    gradient_norm: bound of the global norm of the gradient.
  """

  steps: int = 50_000
  learning_rate: float = 1e-4
  batch_size: int = 256
  held_out_fraction: float = 0.1
  evaluation_interval: int = 1_000
  patience: int = 5
  gradient_norm: float = 40.0

  def __post_init__(self) -> None:
    """Refuses what cannot be trained."""
    _check_at_least(
      self, 1, 'steps', 'batch_size', 'evaluation_interval', 'patience'
    )
    _check_positive(self, 'learning_rate', 'gradient_norm')
    if not 0 < self.held_out_fraction < 1:
      raise ValueError(
        f'held_out_fraction is {self.held_out_fraction}; it must be between '
        '0 and 1, both excluded.'
      )


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
  """What the policy minimises.

  Attributes:
    kind: 'none', the policy gradient alone; 'bc_fixed', with `weight` times
      the distance to the cloned policy; 'bc_decay', traded by alpha against
      the distance to the cloned policy; 'between', traded by alpha against
      the distance to the policy of the cycle before; 'teacher_action', traded
      by alpha against the distance to the teacher's action, with
      `between_weight` times that to the policy of the cycle before;
      'q_filter', the distance to the teacher's action where the critic prefers
      that one, else the policy gradient; 'teacher_grad', the teacher's action
      gradient traded by alpha against the critic's.
    weight: lambda of 'bc_fixed'.
    between_weight: beta_k of 'teacher_action'.
    decay_rate: r, how fast alpha falls.
    decay_form: 'normalised', alpha ends at 0; 'plain', at exp(-r).
    filter_critic: the critic of 'q_filter': 'online', the one in training;
      'target', its late copy; 'cycle_start', a copy from where the cycle began.
  """

  kind: Kind = 'bc_decay'
  weight: float = 0.5
  between_weight: float = 5.0
  decay_rate: float = 1.0
  decay_form: DecayForm = 'normalised'
  filter_critic: FilterCritic = 'online'

  def __post_init__(self) -> None:
    """Refuses what is no objective."""
    _check_choice(self, 'kind', get_args(Kind))
    _check_choice(self, 'decay_form', get_args(DecayForm))
    _check_choice(self, 'filter_critic', get_args(FilterCritic))
    _check_at_least(self, 0, 'weight', 'between_weight')
    if not 0 < self.decay_rate < 700:
      raise ValueError(
        f'decay_rate is {self.decay_rate}; it must be above 0, and below 700 '
        'for its exponential to be finite.'
      )

  @property
  def anchor(self) -> Optional[Literal['initial', 'previous']]:
    """The frozen policy that the learned one is pulled to, if any."""
    if self.kind in ('bc_fixed', 'bc_decay'):
      return 'initial'
    return 'previous' if self.kind in ('between', 'teacher_action') else None

  @property
  def uses_teacher_actions(self) -> bool:
    """Whether each transition needs a teacher's action."""
    return self.kind in ('teacher_action', 'q_filter')

  @property
  def uses_teacher_gradients(self) -> bool:
    """Whether each update needs a teacher's action gradients."""
    return self.kind == 'teacher_grad'


def _check_at_least(config: object, bound: int, *names: str) -> None:
  for name in names:
    value = getattr(config, name)
    if not value >= bound:
      raise ValueError(f'{name} is {value}; it must be at least {bound}.')


def _check_positive(config: object, *names: str) -> None:
  for name in names:
    value = getattr(config, name)
    if not 0 < value < float('inf'):
      raise ValueError(f'{name} is {value}; it must be above 0 and finite.')


def _check_choice(config: object, name: str, choices: tuple[str, ...]) -> None:
  value = getattr(config, name)
  if value not in choices:
    raise ValueError(f'{name} is {value!r}; choose one of {choices}.')
