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
from agents.actor_critic.config import ActorCriticConfig
from agents.bcq.config import BCQConfig
from agents.config import AgentConfig
from benchmarks import noise
from benchmarks.products import forward

LAYER_SIZES, SAMPLES, SNIPPET_LENGTH = (256, 256), 10, 8
_STATE, _ACTION = noise.OBSERVATION_SIZE, noise.ACTION_SIZE


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
  options: dict[str, Any] = {
    'vae_layer_sizes': LAYER_SIZES, 'perturbation_layer_sizes': LAYER_SIZES,
    'critic_layer_sizes': LAYER_SIZES, 'num_candidates': SAMPLES,
  }  # fmt: skip
  if issubclass(config, ActorCriticConfig):
    options = {'snippet_length': SNIPPET_LENGTH}
  elif case.kind == 'bcq_one_critic':
    options = {}  # As in table 3.
  return config(batch_size=case.batch_size, **options)


def flops(case: Case) -> int:
  """Floating-point operations of the products of one update."""
  config = config_of(case)
  if isinstance(config, BCQConfig):
    return _bcq(config)
  assert isinstance(config, ActorCriticConfig)
  return _actor_critic(config)


def _trained(rows: int, sizes: Sequence[int]) -> int:
  """Forward, and the gradients of weights and of the layers' inputs."""
  return 2 * forward(rows, sizes) + forward(rows, sizes[1:])


def _at_samples(states: int, count: int, sizes: Sequence[int]) -> int:
  """Forward of several samples a state: of s and something else."""
  other = (sizes[0] - _STATE, *sizes[1:])
  return forward(states, (_STATE, sizes[1])) + forward(states * count, other)


def _bcq(config: BCQConfig) -> int:
  rows, count = config.batch_size, config.num_candidates
  latent = config.latent_size or 2 * _ACTION
  hidden, both = config.vae_layer_sizes, _STATE + _ACTION
  encoder = (both, *hidden, 2 * latent)
  decoder = (_STATE + latent, *hidden, _ACTION)
  policy = (both, *config.perturbation_layer_sizes, _ACTION)
  critic = (both, *config.critic_layer_sizes, 1)
  autoencoder = (
    _trained(rows, encoder)
    + _trained(rows, decoder)
    + forward(rows, (latent, hidden[0]))  # What the encoder learns by.
  )
  target = (
    _at_samples(rows, count, decoder)
    + _at_samples(rows, count, policy)
    + config.num_critics * _at_samples(rows, count, critic)
  )
  critics = config.num_critics * _trained(rows, critic)
  correction = (
    forward(rows, decoder)
    + _trained(rows, policy)
    + forward(rows, critic)
    + forward(rows, (_ACTION, *critic[1:]))  # dQ/da.
  )
  return autoencoder + target + critics + correction


def _actor_critic(config: ActorCriticConfig) -> int:
  """MPO, with a prior or without; values of all states are of its samples."""
  assert config.kind in ('mpo', 'bm_mpo', 'abm_mpo'), config.kind
  rows, count = config.num_items * config.snippet_length, config.num_samples
  states = rows + config.num_items  # One more than steps in a snippet.
  policy = (_STATE, *config.policy_layer_sizes, 2 * _ACTION)
  critic = (_STATE + _ACTION, *config.critic_layer_sizes, 1)
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
