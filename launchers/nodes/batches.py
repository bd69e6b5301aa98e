"""What a batch holds for each agent and objective."""

from collections.abc import Callable
import functools
from typing import Any

import numpy as np
import tensorflow as tf

from agents import registry
from agents.base import Agent
from agents.config import AgentConfig
from datasets.memory import Memory
from datasets.sampler import UniformSampler

_CHUNK = 4_096  # Transitions in one question to the anchor.

Gather = Callable[[np.ndarray], Any]
"""From indices, [..., B], to a batch with these leading axes."""


def sampler_for(
  config: AgentConfig, agent: Agent, memory: Memory, seed: int
) -> UniformSampler[Any]:
  """Draws the batches that an agent learns from; see `gather_for`.

  Args:
    config: of the agent.
    agent: what will learn from them.
    memory: complete.
    seed: of the sampler.

  Raises:
    ValueError: the objective needs what the memory or the items lack.
  """
  gather = gather_for(config, agent, memory)
  return UniformSampler(gather, memory.num_transitions, config.num_items, seed)


def gather_for(config: AgentConfig, agent: Agent, memory: Memory) -> Gather:
  """From indices to the batches that an agent learns from.

  Args:
    config: of the agent; its kind says what they hold (`agents.entry.Entry`).
    agent: its anchor, if its objective has one, is asked here and now about
      every transition, once; so this holds for one cycle.
    memory: complete.

  Raises:
    ValueError: the objective needs what the memory or the items lack.
  """
  objective = agent.objective
  batches = registry.find(config.kind).batches
  if batches == 'transitions':
    gather: Gather = memory.gather
    if objective.uses_teacher_actions:
      gather = memory.advised
    return _anchored(agent, memory, gather) if objective.anchor else gather
  if batches == 'snippets':  # Their agents ask their anchors themselves.
    return functools.partial(
      memory.snippets,
      length=config.snippet_length,
      with_advice=objective.uses_teacher_actions,
    )
  if objective.uses_teacher_actions or objective.anchor:
    raise ValueError(
      f'The objective {objective.kind!r} needs actions beside the executed '
      f'ones, which {batches} do not hold. Choose another objective for '
      f'{config.kind}.'
    )
  return memory.demonstrations if batches == 'demonstrations' else memory.steps


def _anchored(agent: Agent, memory: Memory, gather: Gather) -> Gather:
  """Adds what the agent's anchor does in each transition of a batch."""
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
