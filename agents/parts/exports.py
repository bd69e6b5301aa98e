"""From Sonnet modules to what acts in NumPy alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.deployed.policy import Policy, Snapshot
from agents.parts.networks import DeterministicPolicy


def policy(module: DeterministicPolicy) -> Policy:
  """The present weights of a Sonnet policy."""
  return Policy(_weights(module))


def assign(module: Any, arrays: Mapping[str, np.ndarray]) -> None:
  """Gives a module the weights that were exported of one like it.

  Args:
    module: of a kind that `policy` or `gaussian` exports, or with `layers`.
    arrays: by the names that the export gave them.
  """
  layers = getattr(module, 'layers', None)
  if layers is None:
    torso = module.torso
    layers = [torso.first, *torso.rest, module.head]
    torso.first.scale.assign(arrays['norm/scale'])
    torso.first.offset.assign(arrays['norm/offset'])
  for i, layer in enumerate(layers):
    layer.w.assign(arrays[f'{i}/w'])
    layer.b.assign(arrays[f'{i}/b'])


def plain_policy(module: Any) -> Policy:
  """The present weights of a policy of plain layers.

  Args:
    module: a Sonnet module that has `layers`, a list of linear ones, with a
      ReLU between them and a tanh after the last.
  """
  return Policy(_numbered(module.layers), form='deterministic_relu')


def gaussian(module: Any) -> Policy:
  """The present distribution of actions.

  Args:
    module: a Sonnet module that has `torso`, a LayerNormMLP, `head`, a linear
      layer of a mean and then of what makes a deviation, for each action, and
      `min_variance`.
  """
  return Policy(_gaussian(module), form='gaussian')


def best_of_gaussian(policy: Any, critic: Any, noise: np.ndarray) -> Policy:
  """The action of largest value of a fixed number that a distribution draws.

  Args:
    policy: see `gaussian`.
    critic: a Sonnet module that has `torso`, a LayerNormMLP of [s, a], and
      `head`, a linear layer; and `atoms` where the head gives logits.
    noise: [n, A] standard normal numbers, which are drawn once.
  """
  return Policy(
    {
      **_within('policy', _gaussian(policy)),
      **_within('critic', _critic(critic)),
      'noise': np.asarray(noise, np.float32),
    },
    form='best_of_gaussian',
  )


def best_of_raw_gaussian(policy: Any, critic: Any, noise: np.ndarray) -> Policy:
  """... where both have `layers`, a list of linear ones, with a ReLU between.

  Args:
    policy: of the mean and then of the logarithm of the deviation of each
      action before its tanh.
    critic: of [s, a].
    noise: [n, A] standard normal numbers, which are drawn once.
  """
  return Policy(
    {
      **_within('policy', _numbered(policy.layers)),
      **_within('critic', _numbered(critic.layers)),
      'noise': np.asarray(noise, np.float32),
    },
    form='best_of_raw_gaussian',
  )


def best_of_decoder(
  decoder: Any, perturbation: Any, critic: Any, noise: np.ndarray, bound: float
) -> Policy:
  """The action of largest value of a fixed number that a decoder makes.

  Each module has `layers`, a list of linear ones, with a ReLU between them and,
  but for the critic, a tanh after the last.

  Args:
    decoder: of [s, z].
    perturbation: of [s, a].
    critic: of [s, a].
    noise: [n, Z] latent numbers, which are drawn once.
    bound: how far a perturbation goes.
  """
  return Policy(
    {
      **_within('decoder', _numbered(decoder.layers)),
      **_within('perturbation', _numbered(perturbation.layers)),
      **_within('critic', _numbered(critic.layers)),
      'noise': np.asarray(noise, np.float32),
      'bound': np.array([bound], np.float32),
    },
    form='best_of_decoder',
  )


def snapshot(
  policy: Policy, critic: Any, metadata: Mapping[str, Any]
) -> Snapshot:
  """A policy with the present weights of its critic.

  Args:
    policy: as it is exported.
    critic: see `best_of_gaussian`.
    metadata: free, of JSON's types.

  Returns:
    The snapshot; its critic has the names of `agents.deployed.layers`, and
    'atoms' if the module has.
  """
  return Snapshot(policy, _critic(critic), dict(metadata))


def _gaussian(module: Any) -> dict[str, np.ndarray]:
  min_variance = np.array([module.min_variance], np.float32)
  return {**_weights(module), 'min_variance': min_variance}


def _critic(module: Any) -> dict[str, np.ndarray]:
  arrays = _weights(module)
  if hasattr(module, 'atoms'):
    arrays['atoms'] = np.array(module.atoms)
  return arrays


def _weights(module: Any) -> dict[str, np.ndarray]:
  torso = module.torso
  return {
    'norm/scale': torso.first.scale.numpy(),
    'norm/offset': torso.first.offset.numpy(),
    **_numbered([torso.first, *torso.rest, module.head]),
  }


def _numbered(layers: Any) -> dict[str, np.ndarray]:
  return {
    f'{i}/{name}': getattr(layer, name).numpy()
    for i, layer in enumerate(layers)
    for name in 'wb'
  }


def _within(part: str, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
  return {f'{part}/{name}': array for name, array in arrays.items()}
