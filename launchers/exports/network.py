"""A policy as a list of plain steps, which every format writes in its way."""

from typing import Literal, NamedTuple, Union

import numpy as np

from agents.deployed import layers
from agents.deployed.gaussian import MIN_VARIANCE
from agents.deployed.policy import Policy


class Linear(NamedTuple):
  """x @ weights + bias.

  Attributes:
    weights: [I, O] float32.
    bias: [O] float32.
  """

  weights: np.ndarray
  bias: np.ndarray


class LayerNorm(NamedTuple):
  """(x - mean) / sqrt(variance + EPSILON) * scale + offset, over all of x.

  Attributes:
    scale: [H] float32.
    offset: [H] float32.
  """

  scale: np.ndarray
  offset: np.ndarray


Elementwise = Literal['tanh', 'elu', 'relu', 'clip']
"""Of each number by itself; clip: to [-1, 1]."""

Step = Union[Linear, LayerNorm, Elementwise]


def is_fixed(policy: Policy) -> bool:
  """Whether a policy is one network, which `steps_of` takes apart."""
  return policy.form in ('deterministic', 'deterministic_relu', 'gaussian')


def steps_of(policy: Policy) -> list[Step]:
  """What the policy does with an observation, without exploration.

  Raises:
    ValueError: it does more than that.
  """
  arrays, form = policy.arrays, policy.form
  if not is_fixed(policy):
    raise ValueError(
      f'A policy of the form {form} draws candidates and asks its critic: no '
      'fixed network does that. --format npz holds it whole.'
    )
  has_norm = form != 'deterministic_relu'
  network = {k: v for k, v in arrays.items() if k != MIN_VARIANCE}
  linear = [Linear(*pair) for pair in layers.check(network, has_norm)]
  *hidden, head = linear
  if form == 'gaussian':  # The second half is of its spread.
    size = policy.spec.action_size
    head = Linear(head.weights[:, :size].copy(), head.bias[:size])
  steps: list[Step] = []
  for i, layer in enumerate(hidden):
    steps.append(layer)
    if not has_norm:
      steps.append('relu')
    elif i == 0:
      norm = LayerNorm(arrays['norm/scale'], arrays['norm/offset'])
      steps += [norm, 'tanh']
    else:
      steps.append('elu')
  return [*steps, head, 'clip' if form == 'gaussian' else 'tanh']
