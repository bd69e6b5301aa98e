"""A trained critic as plain arrays: Q(s, a) and dQ/da in NumPy alone."""

from collections.abc import Mapping

import numpy as np

from agents.deployed import layers

_ATOMS = 'atoms'


def check_atoms(atoms: np.ndarray) -> None:
  """Refuses what is no support of a distribution.

  Raises:
    ValueError: they are not [N] float32, finite, rising and evenly spaced.
  """
  if atoms.dtype != np.float32 or atoms.ndim != 1 or len(atoms) < 2:
    raise ValueError(
      f'atoms are {atoms.dtype} of shape {atoms.shape}; they must be float32, '
      'of one axis and 2 or more.'
    )
  if not np.isfinite(atoms).all():
    raise ValueError('atoms are not finite.')
  even = np.linspace(atoms[0], atoms[-1], len(atoms), dtype=np.float32)
  tolerance = 1e-5 * float(atoms[-1] - atoms[0])
  if not atoms[0] < atoms[-1] or np.abs(atoms - even).max() > tolerance:
    raise ValueError(
      f'atoms run from {atoms[0]} to {atoms[-1]} and are not rising and evenly '
      'spaced, as the projection needs them.'
    )


class Critic:
  """Q(s, a): linear, layer norm, tanh, (linear, ELU)*, linear, mean.

  The head gives the logits of a distribution on 'atoms', whose mean is the
  value. Without 'atoms' it is one wide and gives the value itself.

  Any thread may call it, and several at once.
  """

  def __init__(self, arrays: Mapping[str, np.ndarray], action_size: int):
    """Checks the arrays and takes them over.

    Args:
      arrays: those of `layers`, for inputs [s, a], and perhaps 'atoms', [N]
        float32.
      action_size: A; all other inputs are the observation.

    Raises:
      ValueError: something is missing, superfluous, misshapen or not finite.
    """
    network = {k: np.ascontiguousarray(v) for k, v in arrays.items()}
    self._atoms = network.pop(_ATOMS, None)
    if self._atoms is not None:
      check_atoms(self._atoms)
    self._layers = layers.check(network)
    self._scale = network['norm/scale']
    self._offset = network['norm/offset']
    inputs, outputs = len(self._layers[0][0]), len(self._layers[-1][1])
    wanted = 1 if self._atoms is None else len(self._atoms)
    if outputs != wanted or not 0 < action_size < inputs:
      raise ValueError(
        f'The critic has {inputs} inputs and {outputs} outputs; it must have '
        f'more than {action_size} inputs (the width of an action) and '
        f'{wanted} outputs.'
      )
    self.observation_size = inputs - action_size
    self.action_size = action_size
    self.digest = layers.digest(arrays)

  def value(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Q(s, a).

    Args:
      observations: [B, S] float32.
      actions: [B, A] float32.

    Returns:
      [B] float32.
    """
    x = self._first(observations, actions)
    return self._mean(self._forward(x)[-1][-1])[0]

  def values(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Q(s, a) of several actions in each state.

    Args:
      observations: [R, S] float32.
      actions: [R, n, A] float32.

    Returns:
      [R, n] float32.
    """
    x = layers.first_of_pairs(*self._layers[0], observations, actions)
    return self._mean(self._forward(x)[-1][-1])[0]

  def value_and_gradient(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Q(s, a) and dQ/da.

    Args:
      observations: [B, S] float32.
      actions: [B, A] float32.

    Returns:
      [B] and [B, A] float32.
    """
    x = self._first(observations, actions)
    sigma, normal, outputs = self._forward(x)
    (first_w, _), *hidden, (head_w, _) = self._layers
    first, *rest, logits = outputs
    value, slope = self._mean(logits)  # [B], [B, N]
    slope = slope @ head_w.T  # [B, H]
    for (w, _), x in zip(reversed(hidden), reversed(rest), strict=True):
      slope *= np.minimum(x, 0) + 1  # ELU' = min(ELU, 0) + 1
      slope = slope @ w.T
    slope *= 1 - np.square(first)
    slope *= self._scale
    slope -= slope.mean(axis=1, keepdims=True) + normal * np.mean(
      slope * normal, axis=1, keepdims=True
    )
    slope /= sigma
    return value, slope @ first_w[self.observation_size :].T

  def _first(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """The outputs of the first layer, [B, H]."""
    w, b = self._layers[0]
    return np.concatenate([observations, actions], axis=1) @ w + b

  def _forward(
    self, x: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """What follows the first layer, whose outputs [..., H] it overwrites.

    Returns:
      Of the norm: sigma [..., 1], result [..., H]; the outputs of each layer.
    """
    _, *hidden, (head_w, head_b) = self._layers
    x -= x.mean(axis=-1, keepdims=True)
    variance = np.mean(np.square(x), axis=-1, keepdims=True)  # [..., 1]
    sigma = np.sqrt(variance + np.float32(layers.EPSILON))
    normal = x / sigma
    outputs = [np.tanh(normal * self._scale + self._offset)]
    for w, b in hidden:
      x = outputs[-1] @ w + b
      outputs.append(np.maximum(x, np.expm1(np.minimum(x, 0))))  # ELU
    return sigma, normal, [*outputs, outputs[-1] @ head_w + head_b]

  def _mean(self, head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value, [...], and its gradient in the head's outputs, [..., N]."""
    if self._atoms is None:
      return head[..., 0], np.ones_like(head)
    weights = np.exp(head - head.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)  # [..., N], softmax
    value = weights @ self._atoms
    return value, weights * (self._atoms - value[..., None])
