"""A trained policy as plain arrays: NumPy alone, no pickle, no TensorFlow."""

from collections.abc import Mapping
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agents import layers, npz
from datasets.types import EnvironmentSpec

if TYPE_CHECKING:
  from agents import networks

_KIND = 'understudy-snapshot-1'


class Policy:
  """A deterministic policy: linear, layer norm, tanh, (linear, ELU)*, tanh.

  Any thread may call it, and several at once.
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
    self._layers = layers.check(self._arrays)
    self._scale = self._arrays['norm/scale']
    self._offset = self._arrays['norm/offset']
    self.spec = EnvironmentSpec(
      observation_size=len(self._layers[0][0]),
      action_size=len(self._layers[-1][1]),
    )
    self.digest = layers.digest(self._arrays)
    self._local = threading.local()

  @property
  def arrays(self) -> Mapping[str, np.ndarray]:
    """The weights by name."""
    return self._arrays

  def __call__(self, observation: np.ndarray) -> np.ndarray:
    """Maps [S] or [B, S] to actions [A] or [B, A] in [-1, 1], float32.

    A row's action depends, bit for bit, on B but not on the other rows.
    """
    batch = observation[None] if observation.ndim == 1 else observation
    if batch.ndim != 2 or batch.shape[1] != self.spec.observation_size:
      raise ValueError(
        f'The observation has shape {observation.shape}; this policy takes '
        f'({self.spec.observation_size},), or a batch of them.'
      )
    actions = self._act(batch)
    return actions[0] if observation.ndim == 1 else actions

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

  def _act(self, batch: np.ndarray) -> np.ndarray:
    """[B, S] to [B, A]; once a time step, so every call of NumPy counts."""
    room = getattr(self._local, 'room', None)
    if room is None or len(room[0]) != len(batch):
      room = self._make_room(len(batch))
    inputs, norm, zeros, ((w, b, x, _), *hidden, (w_head, b_head, *_)) = room
    inputs[:] = batch  # As float32, and contiguous.
    np.dot(inputs, w, out=x)  # [B, H], of mean 0: see _make_room
    np.add(x, b, out=x)
    np.einsum('bh,bh->b', x, x, out=norm[:, 0])
    np.multiply(norm, 1.0 / x.shape[1], out=norm)  # [B, 1], the variance
    np.add(norm, layers.EPSILON, out=norm)
    np.sqrt(norm, out=norm)
    np.divide(x, norm, out=x)
    np.multiply(x, self._scale, out=x)
    np.add(x, self._offset, out=x)
    np.tanh(x, out=x)
    for w, b, y, negative in hidden:
      np.dot(x, w, out=y)  # [B, H]
      np.add(y, b, out=y)
      np.minimum(y, zeros[:, : y.shape[1]], out=negative)
      np.expm1(negative, out=negative)
      x = np.maximum(y, negative, out=y)  # ELU
    return np.tanh(np.dot(x, w_head) + b_head)  # [B, A]

  def _make_room(self, size: int) -> tuple[Any, ...]:
    """Buffers of this thread for batches of `size`, the last size it used.

    The first layer's weights are centred, so that its outputs have mean 0 and
    the layer norm need not subtract one.
    """
    (w, b), *rest = self._layers
    buffers = []  # (weights, bias, output, negative part of the output)
    for weights, bias in ((w - w.mean(1, keepdims=True), b - b.mean()), *rest):
      output = np.empty((size, len(bias)), np.float32)
      buffers.append((weights, bias, output, np.empty_like(output)))
    widest = max(len(bias) for _, bias in self._layers)
    room = (
      np.empty((size, len(w)), np.float32),
      np.empty((size, 1), np.float32),
      np.zeros((size, widest), np.float32),  # A scalar would be slower.
      buffers,
    )
    self._local.room = room
    return room


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
