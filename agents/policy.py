"""A trained policy as plain arrays: NumPy alone, no pickle, no TensorFlow."""

from collections.abc import Mapping
import hashlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agents import npz
from datasets.types import EnvironmentSpec

if TYPE_CHECKING:
  from agents import networks

_KIND = 'understudy-snapshot-1'
_EPSILON = 1e-5  # Of the layer norm.


class Policy:
  """A deterministic policy: linear, layer norm, tanh, (linear, ELU)*, tanh.

  A batch may be asked for from any thread. Single observations share buffers:
  each thread that asks for those needs a policy of its own.
  """

  def __init__(self, arrays: Mapping[str, np.ndarray]):
    """Checks the arrays and takes them over.

    Args:
      arrays: 'norm/scale', 'norm/offset' and, for i from 0, 'i/w' and 'i/b';
        the last layer is the head. All float32.

    Raises:
      ValueError: something is missing, superfluous, misshapen or not finite.
    """
    self._arrays = {
      name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)
    }
    self._layers = _check(self._arrays)
    self._scale = self._arrays['norm/scale']
    self._offset = self._arrays['norm/offset']
    self.spec = EnvironmentSpec(
      observation_size=len(self._layers[0][0]),
      action_size=len(self._layers[-1][1]),
    )
    self.digest = _digest(self._arrays)
    self._prepare_buffers()

  @property
  def arrays(self) -> Mapping[str, np.ndarray]:
    """The weights by name."""
    return self._arrays

  def __call__(self, observation: np.ndarray) -> np.ndarray:
    """Maps [S] or [B, S] to actions [A] or [B, A] in [-1, 1], float32."""
    if observation.shape == self._input.shape:
      return self._act(observation)
    if observation.ndim != 2 or observation.shape[1:] != self._input.shape:
      raise ValueError(
        f'The observation has shape {observation.shape}; this policy takes '
        f'{self._input.shape}, or a batch of them.'
      )
    (w, b), *hidden, (w_head, b_head) = self._layers
    x = observation.astype(np.float32, copy=False) @ w + b
    x -= x.mean(axis=-1, keepdims=True)
    variance = np.square(x).mean(axis=-1, keepdims=True)
    x /= np.sqrt(variance + np.float32(_EPSILON))
    x = np.tanh(x * self._scale + self._offset)
    for w, b in hidden:
      x = x @ w + b
      x = np.maximum(x, np.expm1(np.minimum(x, 0)))  # ELU
    return np.tanh(x @ w_head + b_head)

  def to_bytes(self) -> bytes:
    """The policy as an .npz file."""
    return Snapshot(self, {}, {}).to_bytes()

  @classmethod
  def from_bytes(cls, data: bytes) -> 'Policy':
    """Reads a policy, or the policy of a snapshot.

    Raises:
      ValueError: the bytes are no policy; the message says why.
    """
    return Snapshot.from_bytes(data).policy

  def _prepare_buffers(self) -> None:
    """Arranges the weights for `_act`, which runs once a time step.

    There every call of NumPy counts. A bias is one more row of its weights,
    met by a 1 at the end of the layer's input, and the first layer's outputs
    have mean 0 because each row of its weights has.
    """
    (w, b), *rest = self._layers
    centred = w - w.mean(axis=1, keepdims=True), b - b.mean()
    self._products = []  # (input with a 1 at its end, weights, output)
    buffer = np.ones(len(w) + 1, np.float32)
    self._input = buffer[:-1]
    for w, b in [centred, *rest[:-1]]:
      output = np.ones(len(b) + 1, np.float32)
      self._products.append((buffer, np.vstack([w, b]), output[:-1]))
      buffer = output
    self._head = buffer, np.vstack(rest[-1])
    self._root = np.empty(1, np.float32)
    self._zeros = np.zeros(max(len(b) for _, b in self._layers), np.float32)
    self._negative = np.empty_like(self._zeros)

  def _act(self, observation: np.ndarray) -> np.ndarray:
    """One observation, [S], to its action, [A], in few calls of NumPy."""
    self._input[:] = observation
    (buffer, weights, x), *hidden = self._products
    np.dot(buffer, weights, out=x)
    self._root[0] = 1.0 / math.sqrt(np.dot(x, x) / len(x) + _EPSILON)
    np.multiply(x, self._root, out=x)
    np.multiply(x, self._scale, out=x)
    np.add(x, self._offset, out=x)
    np.tanh(x, out=x)
    for buffer, weights, x in hidden:
      np.dot(buffer, weights, out=x)
      negative = self._negative[: len(x)]
      np.minimum(x, self._zeros[: len(x)], out=negative)
      np.expm1(negative, out=negative)
      np.maximum(x, negative, out=x)  # ELU
    return np.tanh(np.dot(*self._head))


class Snapshot(NamedTuple):
  """A trained agent: its policy, its critic and where they came from.

  Attributes:
    policy: the policy.
    critic: the critic's arrays by name; empty when there is none.
    metadata: free, of JSON's types.
  """

  policy: Policy
  critic: dict[str, np.ndarray]
  metadata: dict[str, Any]

  def to_bytes(self) -> bytes:
    """The snapshot as an .npz file, which `Policy.from_bytes` reads too."""
    arrays = {f'policy/{k}': v for k, v in self.policy.arrays.items()}
    arrays.update({f'critic/{k}': v for k, v in self.critic.items()})
    return npz.pack(arrays, self.metadata, _KIND)

  @classmethod
  def from_bytes(cls, data: bytes) -> 'Snapshot':
    """Reads what `to_bytes` wrote.

    Raises:
      ValueError: the bytes are no snapshot; the message says why.
    """
    arrays, metadata = npz.unpack(data, _KIND)
    parts: dict[str, dict[str, np.ndarray]] = {'policy': {}, 'critic': {}}
    for name, array in arrays.items():
      part, _, rest = name.partition('/')
      if part not in parts or not rest:
        raise ValueError(f'Array {name!r} belongs to no policy or critic.')
      parts[part][rest] = array
    return cls(Policy(parts['policy']), parts['critic'], metadata)


def export_policy(module: 'networks.DeterministicPolicy') -> Policy:
  """The present weights of a Sonnet policy."""
  return Policy(_weights(module))


def export_snapshot(
  policy: 'networks.DeterministicPolicy',
  critic: 'networks.CategoricalCritic',
  metadata: dict[str, Any],
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
  return Snapshot(export_policy(policy), arrays, metadata)


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


def _check(
  arrays: Mapping[str, np.ndarray],
) -> list[tuple[np.ndarray, np.ndarray]]:
  """The layers in order; raises ValueError when they make no network."""
  count = sum(name.endswith('/w') for name in arrays)
  names = {f'{i}/{x}' for i in range(count) for x in 'wb'}
  names |= {'norm/scale', 'norm/offset'}
  if set(arrays) != names or count < 2:
    raise ValueError(
      f'A policy needs the arrays {sorted(names)}, of at least 2 layers; '
      f'these are {sorted(arrays)}.'
    )
  for name, array in arrays.items():
    rank = 2 if name.endswith('/w') else 1
    if array.dtype != np.float32 or array.ndim != rank or array.size == 0:
      raise ValueError(
        f'Array {name!r} is {array.dtype} of shape {array.shape}; it must be '
        f'float32, of {rank} axes and not empty.'
      )
    if not np.isfinite(array).all():
      raise ValueError(f'Array {name!r} is not finite.')
  layers = [(arrays[f'{i}/w'], arrays[f'{i}/b']) for i in range(count)]
  width = len(layers[0][0])
  for i, (w, b) in enumerate(layers):
    if w.shape[0] != width or b.shape != w.shape[1:]:
      raise ValueError(
        f'Layer {i} has weights {w.shape} and bias {b.shape}; the layer '
        f'before it is {width} wide.'
      )
    width = w.shape[1]
  for name in ('norm/scale', 'norm/offset'):
    if arrays[name].shape != layers[0][1].shape:
      raise ValueError(
        f'Array {name!r} has shape {arrays[name].shape}, the first layer '
        f'{layers[0][1].shape}.'
      )
  return layers


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
  digest = hashlib.sha256()
  for name, array in sorted(arrays.items()):
    digest.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
    digest.update(array.tobytes())
  return digest.hexdigest()
