"""Policies that propose several actions and take the one of largest value."""

import abc
from collections.abc import Sequence

import numpy as np

from agents.deployed import layers
from agents.deployed.critic import Critic
from agents.deployed.form import Form
from agents.deployed.gaussian import Gaussian
from agents.deployed.layers import Arrays
from agents.deployed.relu_network import ReluNetwork
from datasets.types import EnvironmentSpec

_NOISE, _BOUND = 'noise', 'bound'

LOG_DEVIATION = (-20.0, 2.0)
"""Bounds of the logarithm of a raw Gaussian's deviation, for stability."""


class _Chooser(abc.ABC):
  """One policy: proposes n actions in every state, and values them."""

  spec: EnvironmentSpec

  @abc.abstractmethod
  def __init__(self, arrays: Arrays, rows: int):
    """Checks the arrays and takes them over."""

  @abc.abstractmethod
  def propose(self, observations: np.ndarray) -> np.ndarray:
    """[R, S] to actions [R, n, A], unclipped."""

  @abc.abstractmethod
  def value(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """[R, S] and [R, n, A] to values [R, n]."""

  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """[R, S] to the best actions [R, A]."""
    actions = self.propose(observations)
    np.minimum(actions, 1, out=actions)
    np.maximum(actions, -1, out=actions)
    values = self.value(observations, actions)
    rows = np.arange(len(actions))
    best = values.argmax(axis=1)
    chosen = actions[rows, best]
    # Where a value overflows nothing is best: whoever asked refuses NaN.
    chosen[~np.isfinite(values[rows, best])] = np.nan
    return chosen


class _BestOf(Form):
  """Policies of one kind of chooser, one after the other."""

  chooser: type[_Chooser]

  @classmethod
  def check(cls, arrays: Arrays) -> EnvironmentSpec:
    """See `Form.check`."""
    return cls.chooser(arrays, 1).spec

  def __init__(self, policies: Sequence[Arrays], rows: int):
    self._choosers = [self.chooser(arrays, rows) for arrays in policies]

  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """See `Form`."""
    rows = observations.astype(np.float32, copy=False)
    pairs = zip(self._choosers, rows, strict=True)
    return np.stack([choose(own) for choose, own in pairs])


class _GaussianChooser(_Chooser):
  def __init__(self, arrays: Arrays, rows: int):
    parts = layers.split(arrays, ('policy', 'critic'), (_NOISE,))
    self._noise = layers.check_array(arrays, _NOISE, 2)
    with layers.named('policy'):
      self.spec = Gaussian.check(parts['policy'])
    with layers.named('critic'):
      self._critic = Critic(parts['critic'], self.spec.action_size)
    widths = {
      'noise': (self._noise.shape[1], self.spec.action_size),
      'critic': (self._critic.observation_size, self.spec.observation_size),
    }
    _check_widths(widths)
    self._policy = Gaussian([parts['policy']], rows)

  def propose(self, observations: np.ndarray) -> np.ndarray:
    self._policy(observations[None])
    (mean,), (deviation,) = self._policy.distribution()  # [R, A]
    return mean[:, None] + deviation[:, None] * self._noise

  def value(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    return self._critic.values(observations, actions)


class _DecoderChooser(_Chooser):
  def __init__(self, arrays: Arrays, rows: int):
    del rows  # It has no buffers.
    names = ('decoder', 'perturbation', 'critic')
    parts = layers.split(arrays, names, (_NOISE, _BOUND))
    self._noise = layers.check_array(arrays, _NOISE, 2)
    layers.check_number(arrays, _BOUND)
    self._bound = arrays[_BOUND]
    networks = {}
    for name in names:
      with layers.named(name):
        networks[name] = ReluNetwork(parts[name])
    self._decoder, self._perturbation, self._critic = networks.values()
    size, latent = self._decoder.outputs, self._noise.shape[1]
    width = self._decoder.inputs - latent
    widths = {
      'perturbation': (self._perturbation.inputs, width + size),
      "perturbation's outputs": (self._perturbation.outputs, size),
      'critic': (self._critic.inputs, width + size),
      "critic's outputs": (self._critic.outputs, 1),
    }
    if width < 1:
      raise ValueError(
        f'The decoder takes {self._decoder.inputs} numbers, of which the noise '
        f'has {latent}: none are left for the observation.'
      )
    _check_widths(widths)
    self.spec = EnvironmentSpec(width, size)

  def propose(self, observations: np.ndarray) -> np.ndarray:
    decoded = np.tanh(self._decoder(observations, self._noise))
    correction = np.tanh(self._perturbation(observations, decoded))
    correction *= self._bound
    correction += decoded
    return correction

  def value(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    return self._critic(observations, actions)[..., 0]


class _RawGaussianChooser(_Chooser):
  def __init__(self, arrays: Arrays, rows: int):
    del rows  # It has no buffers.
    parts = layers.split(arrays, ('policy', 'critic'), (_NOISE,))
    self._noise = layers.check_array(arrays, _NOISE, 2)
    with layers.named('policy'):
      self._policy = ReluNetwork(parts['policy'])
    with layers.named('critic'):
      self._critic = ReluNetwork(parts['critic'])
    width, size = self._policy.inputs, self._noise.shape[1]
    _check_widths(
      {
        "policy's outputs": (self._policy.outputs, 2 * size),
        'critic': (self._critic.inputs, width + size),
        "critic's outputs": (self._critic.outputs, 1),
      }
    )
    self.spec = EnvironmentSpec(width, size)

  def propose(self, observations: np.ndarray) -> np.ndarray:
    nothing = np.empty((1, 0), np.float32)  # It is a function of the state.
    outputs = self._policy(observations, nothing)  # [R, 1, 2 A]
    mean, log_deviation = np.split(outputs, 2, axis=-1)
    deviation = np.exp(np.clip(log_deviation, *LOG_DEVIATION))
    return np.tanh(mean + deviation * self._noise)

  def value(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    return self._critic(observations, actions)[..., 0]


class BestOfGaussian(_BestOf):
  """The best of a_i = mean + deviation * noise_i, clipped.

  Arrays: 'policy/…' of a `Gaussian`, 'critic/…' of a `Critic`, and 'noise',
  [n, A], drawn once: the policy is a function of the state.
  """

  chooser = _GaussianChooser


class BestOfRawGaussian(_BestOf):
  """The best of tanh(mean + deviation * noise_i).

  Arrays: 'policy/…' and 'critic/…' of a `ReluNetwork` each, and 'noise',
  [n, A], drawn once: the policy is a function of the state. The policy's
  outputs are the mean and the logarithm of the deviation, for each action.
  """

  chooser = _RawGaussianChooser


class BestOfDecoder(_BestOf):
  """The best of u_i + bound * tanh(perturbation(s, u_i)), clipped.

  With u_i = tanh(decoder(s, noise_i)). Arrays: 'decoder/…', 'perturbation/…'
  and 'critic/…' of a `ReluNetwork` each, 'bound', [1], and 'noise', [n, Z],
  drawn once: the policy is a function of the state.
  """

  chooser = _DecoderChooser


def _check_widths(widths: dict[str, tuple[int, int]]) -> None:
  for name, (width, wanted) in widths.items():
    if width != wanted:
      raise ValueError(
        f'The width of the {name} is {width}; beside the other networks it '
        f'must be {wanted}.'
      )
