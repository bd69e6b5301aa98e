"""From Sonnet modules to what acts in NumPy alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.deployed.policy import Policy, Snapshot
from agents.parts.networks import CategoricalCritic, DeterministicPolicy


def policy(module: DeterministicPolicy) -> Policy:
  """The present weights of a Sonnet policy."""
  return Policy(_weights(module))


def snapshot(
  policy: DeterministicPolicy,
  critic: CategoricalCritic,
  metadata: Mapping[str, Any],
) -> Snapshot:
  """The present weights of a policy and its critic.

  Args:
    policy: the Sonnet module.
    critic: the Sonnet module.
    metadata: free, of JSON's types.

  Returns:
    The snapshot; its critic has the policy's names and 'atoms'.
  """
  arrays = {**_weights(critic), 'atoms': np.array(critic.atoms)}
  return Snapshot(Policy(_weights(policy)), arrays, dict(metadata))


def _weights(module: Any) -> dict[str, np.ndarray]:
  layers = [module.torso.first, *module.torso.rest, module.head]
  arrays = {
    'norm/scale': module.torso.first.scale.numpy(),
    'norm/offset': module.torso.first.offset.numpy(),
  }
  for i, layer in enumerate(layers):
    arrays[f'{i}/w'] = layer.w.numpy()
    arrays[f'{i}/b'] = layer.b.numpy()
  return arrays
