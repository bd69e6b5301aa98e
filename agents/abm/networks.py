"""The networks of a prior by itself."""

from agents.actor_critic.config import ActorCriticConfig
from agents.actor_critic.networks import ActorCriticNetworks
from datasets.types import EnvironmentSpec


class PriorNetworks(ActorCriticNetworks):
  """The policy is the prior: there is no other."""

  def __init__(self, config: ActorCriticConfig, spec: EnvironmentSpec):
    super().__init__(config, spec, num_priors=0)
