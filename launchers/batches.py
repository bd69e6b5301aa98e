"""What a batch holds for each objective, beyond the transitions."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from agents.d4pg import D4PG
from datasets.memory import Memory
from datasets.types import Transition

_CHUNK = 4_096  # Transitions in one question to the anchor.

Gather = Callable[[np.ndarray], Transition]


def gather_for(agent: D4PG, memory: Memory) -> Gather:
  """From indices to the batches that an agent improves its policy on.

  Args:
    agent: its anchor, if its objective has one, is asked here and now about
      every transition, once; so this holds for one cycle.
    memory: complete.

  Raises:
    ValueError: the objective needs advice that the memory lacks.
  """
  gather: Gather = memory.gather
  if agent.objective.uses_teacher_actions:
    gather = memory.advised
  if agent.objective.anchor is None:
    return gather
  ask, size = tf.function(agent.anchor_actions), memory.num_transitions
  chunks = [
    ask(memory.gather(np.arange(first, min(first + _CHUNK, size)))).numpy()
    for first in range(0, size, _CHUNK)
  ]
  actions = np.concatenate(chunks)  # [transitions, A]
  return lambda indices: gather(indices)._replace(
    anchor_action=actions.take(indices, axis=0)
  )
