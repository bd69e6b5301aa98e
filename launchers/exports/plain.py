"""A policy as arrays and a list of what to do with them, for NumPy alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from launchers.exports.network import LayerNorm, Linear, Step


def write(steps: Sequence[Step], path: Path) -> list[list[str]]:
  """Writes the arrays of a policy's steps.

  Args:
    steps: of the policy.
    path: an .npz that is not there yet.

  Returns:
    Of each step its name, and those of its arrays: ['linear', WEIGHTS, BIAS],
    ['layer_norm', SCALE, OFFSET], ['tanh'], ['elu'], ['relu'], ['clip'].
  """
  arrays: dict[str, np.ndarray] = {}
  network = []
  for number, step in enumerate(steps):
    if isinstance(step, str):
      network.append([str(step)])
      continue
    name = {Linear: 'linear', LayerNorm: 'layer_norm'}[type(step)]
    names = [f'{number}_{field}' for field in step._fields]
    arrays.update(zip(names, step, strict=True))
    network.append([name, *names])
  np.savez(path, **arrays)
  return network
