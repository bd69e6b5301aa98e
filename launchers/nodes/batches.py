"""What a batch holds for each agent and objective."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from agents.base import Agent
from agents.entry import Batches
from datasets.memory import Memory

_CHUNK = 4_096  # Transitions in one question to the anchor.

Gather = Callable[[np.ndarray], Any]
"""From indices, [..., B], to a batch with these leading axes."""


def gather_for(batches: Batches, agent: Agent, memory: Memory) -> Gather:
  """From indices to the batches that an agent improves its policy on.

  Args:
    batches: what they hold; see `agents.entry.Entry`.
    agent: its anchor, if its objective has one, is asked here and now about
      every transition, once; so this holds for one cycle.
    memory: complete.

  Raises:
    ValueError: the objective needs advice that the memory lacks.
  """
  if batches == 'demonstrations':
    return memory.demonstrations
  gather: Gather = memory.gather
  if agent.objective.uses_teacher_actions:
    gather = memory.advised
  if agent.objective.anchor is None:
    return gather
  ask, size = tf.function(agent.anchor_actions), memory.num_transitions
  width = memory.gather(np.arange(1)).action.shape[1]
  # One array from the start: parts of it would stay resident once joined.
  actions = np.empty((size, width), np.float32)  # [transitions, A]
  for first in range(0, size, _CHUNK):
    chunk = np.arange(first, min(first + _CHUNK, size))
    actions[chunk] = ask(memory.gather(chunk))
  return lambda indices: gather(indices)._replace(
    anchor_action=actions.take(indices, axis=0)
  )
