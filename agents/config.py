"""What agents are configured by. No TensorFlow: a command line reads it.

Each agent's own hyper-parameters are in its folder, agents/KIND/config.py.
"""

import dataclasses
from typing import Any, ClassVar, Literal, Optional

from datasets import bounds

Kind = Literal[
  'none', 'bc_fixed', 'bc_decay', 'between',
  'teacher_action', 'q_filter', 'teacher_grad',
]  # fmt: skip
DecayForm = Literal['normalised', 'plain']
FilterCritic = Literal['online', 'target', 'cycle_start']


class AgentConfig:
  """What the house reads of every agent's hyper-parameters.

  An agent's own class is a frozen dataclass that derives from this one. What
  it does not make a field of its own keeps the value given here.

  Attributes:
    kind: the agent's name in `agents.registry`.
    batch_size: transitions in an update.
    n_step: rewards summed in an item; 1 where items are snippets or steps.
    discount: weight of a reward one step later.
    snippet_length: transitions in an item; 1 where items are no snippets.
  """

  # Each kind is a dataclass, which `dataclasses.replace` needs to be told.
  __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

  kind: str
  batch_size: int
  n_step: int = 1
  discount: float = 1.0
  snippet_length: int = 1

  @property
  def num_items(self) -> int:
    """Items in an update: as many as hold its transitions."""
    return -(-self.batch_size // self.snippet_length)


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
    bounds.check(
      self, steps=(1, None), learning_rate=(bounds.ABOVE_0, 1e6),
      batch_size=(1, 10_000_000), held_out_fraction=(0, 1),
      evaluation_interval=(1, None), patience=(1, None),
      gradient_norm=(bounds.ABOVE_0, None),
    )  # fmt: skip
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
    decay_steps: learner steps over which alpha falls, and after which it stays;
      None: those that the run was first started with.
    decay_form: 'normalised', alpha ends at 0; 'plain', at exp(-r).
    filter_critic: the critic of 'q_filter': 'online', the one in training;
      'target', its late copy; 'cycle_start', a copy from where the cycle began.
  """

  kind: Kind = 'bc_decay'
  weight: float = 0.5
  between_weight: float = 5.0
  decay_rate: float = 1.0
  decay_steps: Optional[int] = None
  decay_form: DecayForm = 'normalised'
  filter_critic: FilterCritic = 'online'

  def __post_init__(self) -> None:
    """Refuses what is no objective."""
    bounds.check(
      self, weight=(0, 1e6), between_weight=(0, 1e6), decay_rate=(0, 700),
      decay_steps=(1, None),
    )  # fmt: skip
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


def check_layer_sizes(config: object, *names: str) -> None:
  """Refuses fields of a configuration that name no layer."""
  for name in names:
    if not getattr(config, name):
      raise ValueError(f'{name} is (); give one or more widths >= 1.')
