"""The updates that are compared, and the products that each cannot do without.

All networks of BCQ and BEAR have two layers of 256, as d3rlpy's have, and their
targets look at ten candidates; of the agents with a Gaussian policy, policies
have two and critics three such layers, and 20 samples stand for a policy. A
snippet has eight steps, so that 32 or 64 of them are a batch.

Counted are, as in `benchmarks.learner`: each forward pass once; of each loss
the gradient of every weight, and of every layer's input but the first. Of the
first layer the part of the state counts once a state, whatever the candidates.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from agents import registry
from agents.config import AgentConfig
from benchmarks import noise
from benchmarks.products import forward

LAYER_SIZES, SAMPLES, MATCHED, SNIPPET_LENGTH = (256, 256), 10, 5, 8
_STATE, _ACTION = noise.OBSERVATION_SIZE, noise.ACTION_SIZE
_LIKE_D3RLPY = {
  'vae_layer_sizes': LAYER_SIZES,
  'critic_layer_sizes': LAYER_SIZES,
  'num_candidates': SAMPLES,
}
_OPTIONS: dict[str, dict[str, Any]] = {
  'bcq': {**_LIKE_D3RLPY, 'perturbation_layer_sizes': LAYER_SIZES},
  'bear_mmd': {
    **_LIKE_D3RLPY,
    'policy_layer_sizes': LAYER_SIZES,
    'num_matched_samples': MATCHED,
    'warm_up_steps': 0,
  },
  'bcq_one_critic': {},  # As in table 3.
  'mpo': {'snippet_length': SNIPPET_LENGTH},
  'abm_mpo': {'snippet_length': SNIPPET_LENGTH},
}


class Case(NamedTuple):
  """An update that is measured.

  Attributes:
    kind: the agent's.
    batch_size: transitions.
  """

  kind: str
  batch_size: int

  @property
  def name(self) -> str:
    """For instance 'bcq_256'."""
    return f'{self.kind}_{self.batch_size}'


def config_of(case: Case) -> AgentConfig:
  """Our agent's hyper-parameters."""
  config: Any = registry.find(case.kind).config
  return config(batch_size=case.batch_size, **_OPTIONS[case.kind])


def flops(case: Case) -> int:
  """Floating-point operations of the products of one update."""
  config: Any = config_of(case)
  if case.kind == 'bear_mmd':
    return _generator_and_critics(config) + _bear(config)
  if case.kind.startswith('bcq'):
    return _generator_and_critics(config) + _bcq(config)
  return _mpo(config)


def _trained(rows: int, sizes: Sequence[int]) -> int:
  """Forward, and the gradients of weights and of the layers' inputs."""
  return 2 * forward(rows, sizes) + forward(rows, sizes[1:])


def _at_samples(states: int, count: int, sizes: Sequence[int]) -> int:
  """Forward of several samples a state: of s and something else."""
  other = (sizes[0] - _STATE, *sizes[1:])
  return forward(states, (_STATE, sizes[1])) + forward(states * count, other)


def _critic(config: Any) -> tuple[int, ...]:
  return (_STATE + _ACTION, *config.critic_layer_sizes, 1)


def _decoder(config: Any) -> tuple[int, ...]:
  latent = config.latent_size or 2 * _ACTION
  return (_STATE + latent, *config.vae_layer_sizes, _ACTION)


def _generator_and_critics(config: Any) -> int:
  """What BCQ and BEAR fit, and the values of their candidates."""
  rows, decoder, critic = config.batch_size, _decoder(config), _critic(config)
  latent = decoder[0] - _STATE
  encoder = (_STATE + _ACTION, *config.vae_layer_sizes, 2 * latent)
  autoencoder = (
    _trained(rows, encoder)
    + _trained(rows, decoder)
    + forward(rows, (latent, decoder[1]))  # What the encoder learns by.
  )
  values = _at_samples(rows, config.num_candidates, critic)
  return autoencoder + config.num_critics * (values + _trained(rows, critic))


def _bcq(config: Any) -> int:
  """The candidates, and the correction."""
  rows, count = config.batch_size, config.num_candidates
  decoder, critic = _decoder(config), _critic(config)
  policy = (_STATE + _ACTION, *config.perturbation_layer_sizes, _ACTION)
  candidates = sum(_at_samples(rows, count, n) for n in (decoder, policy))
  correction = (
    forward(rows, decoder)
    + _trained(rows, policy)
    + forward(rows, critic)
    + forward(rows, (_ACTION, *critic[1:]))  # dQ/da.
  )
  return candidates + correction


def _bear(config: Any) -> int:
  """The candidates' distribution, and the policy.

  A sample's value is of all critics, but its gradient of one.
  """
  rows, count = config.batch_size, config.num_matched_samples
  critic = _critic(config)
  policy = (_STATE, *config.policy_layer_sizes, 2 * _ACTION)
  return (
    forward(rows, policy)
    + _trained(rows, policy)
    + _at_samples(rows, count, _decoder(config))
    + config.num_critics * _at_samples(rows, count, critic)
    + forward(rows * count, (_ACTION, *critic[1:]))
  )


def _mpo(config: Any) -> int:
  """With a prior or without; the values of all states are of samples."""
  rows, count = config.num_items * config.snippet_length, config.num_samples
  states = rows + config.num_items  # One more than steps in a snippet.
  policy = (_STATE, *config.policy_layer_sizes, 2 * _ACTION)
  critic = _critic(config)
  evaluation = (
    forward(states, policy)
    + _at_samples(states, count, critic)
    + _trained(rows, critic)
  )
  # A prior is trained, and its samples are valued where the policy improves.
  priors = len(config.filters) * (
    _trained(rows, policy) + _at_samples(rows, count, critic)
  )
  return evaluation + priors + _trained(rows, policy)
