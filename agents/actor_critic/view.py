"""What an update of an agent with a Gaussian policy looks at, and gives."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from agents.parts.duals import Constraint

Metrics = dict[str, tf.Tensor]
"""Scalars by name."""


class View(NamedTuple):
  """A batch as the target networks see it; all of it is held constant.

  N = B * L states, in which somebody acted; M samples of the target policy.

  Attributes:
    observation: [N, S].
    action: [N, A], what was done.
    mask: [N], 1, or 0 beyond an episode's end.
    samples: [M, N, A].
    sample_values: [M, N], Q of each sample.
    target: [N], r_t + g d_t V(s_{t+1}).
    advantage: [N], of what was done in the rest of the snippet.
    teacher_action: [N, A], what a teacher would do; () where nobody asks.
  """

  observation: tf.Tensor
  action: tf.Tensor
  mask: tf.Tensor
  samples: tf.Tensor
  sample_values: tf.Tensor
  target: tf.Tensor
  advantage: tf.Tensor
  teacher_action: Any


class Improvement(NamedTuple):
  """How an agent would have its policy improved.

  Attributes:
    loss: [N], which the policy minimises where the mask is 1.
    constraints: whose penalties it minimises, too.
    dual: scalar, which multipliers minimise beside the constraints' losses; 0
      where there is nothing.
    metrics: scalars by name.
  """

  loss: tf.Tensor
  constraints: Sequence[Constraint]
  dual: tf.Tensor
  metrics: Metrics
