"""What an agent's folder tells the house about it."""

from typing import Literal, NamedTuple, get_args

from agents.config import AgentConfig, Kind

Batches = Literal['transitions', 'demonstrations', 'snippets', 'steps']
Phase = Literal['clone', 'pretrain']


WITHOUT_GRADIENTS: tuple[Kind, ...] = tuple(
  kind for kind in get_args(Kind) if kind != 'teacher_grad'
)
"""The objectives that ask nothing of how a policy improves."""


class Entry(NamedTuple):
  """An agent, as its folder's `__init__.py` enters it; without TensorFlow.

  Attributes:
    config: the class of its hyper-parameters; all have defaults.
    networks: 'module:class' of its `agents.base.Networks`.
    agent: 'module:class' of its `agents.base.Agent`.
    batches: what its batches hold: 'transitions', n-step items
      (`datasets.types.Transition`); 'demonstrations', states and the actions to
      imitate there (`datasets.types.Demonstration`); 'snippets', transitions in
      a row (`datasets.types.Snippet`), as many as the config's `snippet_length`
      says; 'steps', single transitions with their place in their episodes
      (`datasets.types.Step`).
    phases: what it does in cycle 0 of a run, in this order: 'clone', imitate
      the demonstrations; 'pretrain', fit its critics to the clone.
    objectives: what its policy can minimise in the cycles of a run; none: it
      learns in no run.
    is_online: whether it can learn while it acts; what was made for a log that
      others acted cannot.
    why_no_other: where others have no meaning, why; a clause after a colon.
    later_options: those of its config that change nothing before cycle 1.
  """

  config: type[AgentConfig]
  networks: str
  agent: str
  batches: Batches
  phases: tuple[Phase, ...] = ('clone', 'pretrain')
  objectives: tuple[Kind, ...] = ()
  is_online: bool = False
  why_no_other: str = ''
  later_options: tuple[str, ...] = ()
