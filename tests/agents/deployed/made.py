"""A random policy of every form, without TensorFlow."""

import itertools
from typing import Any

import numpy as np

from agents.deployed.policy import Policy
from teachers import untrained

FORMS = (
  'deterministic', 'gaussian', 'best_of_gaussian', 'best_of_decoder',
  'best_of_raw_gaussian', 'deterministic_relu',
)  # fmt: skip
BOUND, MIN_VARIANCE = 0.2, 0.01


def make(
  form: str,
  observation_size: int = 5,
  action_size: int = 2,
  hidden: tuple[int, ...] = (16, 12),
  seed: int = 0,
  candidates: int = 7,
) -> Policy:
  """Equal policies for equal arguments."""
  random = np.random.default_rng(seed + 100)
  width = observation_size + action_size
  if form == 'deterministic':
    return untrained.make(observation_size, action_size, seed, hidden)
  if form == 'deterministic_relu':
    arrays = plain(observation_size, action_size, hidden, seed)
    return Policy(arrays, form=form)
  head = untrained.make(observation_size, 2 * action_size, seed, hidden)
  gaussian = {**head.arrays, 'min_variance': np.array([MIN_VARIANCE], 'f')}
  critic = untrained.make(width, 1, seed + 1, hidden).arrays
  if form == 'gaussian':
    return Policy(gaussian, form=form)
  if form == 'best_of_gaussian':
    noise = random.standard_normal((candidates, action_size), np.float32)
    arrays = {**within('policy', gaussian), **within('critic', critic)}
    return Policy({**arrays, 'noise': noise}, form=form)
  if form == 'best_of_raw_gaussian':
    noise = random.standard_normal((candidates, action_size), np.float32)
    parts = {
      **within('policy', plain(observation_size, 2 * action_size, hidden)),
      **within('critic', plain(width, 1, hidden)),
    }
    return Policy({**parts, 'noise': noise}, form=form)
  latent = 2 * action_size
  arrays = {
    **within('decoder', plain(observation_size + latent, action_size, hidden)),
    **within('perturbation', plain(width, action_size, hidden)),
    **within('critic', plain(width, 1, hidden)),
    'noise': random.uniform(-0.5, 0.5, (candidates, latent)).astype('f'),
    'bound': np.array([BOUND], 'f'),
  }
  return Policy(arrays, form=form)


def within(part: str, arrays: Any) -> dict[str, np.ndarray]:
  return {f'{part}/{name}': array for name, array in arrays.items()}


def plain(
  inputs: int, outputs: int, hidden: tuple[int, ...], seed: int = 0
) -> dict[str, np.ndarray]:
  """The arrays of a network without a norm."""
  random = np.random.default_rng((inputs, seed) if seed else inputs)
  arrays = {}
  for i, (n, m) in enumerate(itertools.pairwise((inputs, *hidden, outputs))):
    arrays[f'{i}/w'] = random.normal(0, 2 / np.sqrt(n), (n, m)).astype('f')
    arrays[f'{i}/b'] = random.normal(0, 0.1, m).astype('f')
  return arrays


def observations(count: int, size: int = 5) -> np.ndarray:
  random = np.random.default_rng(1)
  return random.normal(0, 2, (count, size)).astype(np.float32)
