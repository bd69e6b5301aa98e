"""A prior that is the policy: imitation alone, of some actions (P004, B.7)."""

from typing import Any

import tensorflow as tf

from agents.actor_critic.config import ActorCriticConfig
from agents.actor_critic.networks import ActorCriticNetworks
from agents.actor_critic.update import (
  FILTERS,
  ActorCritic,
  Losses,
  Metrics,
  View,
  imitation,
)
from agents.config import ObjectiveConfig
from agents.parts.snippets import masked_mean


class Prior(ActorCritic):
  """Its values are of itself, and they say what it imitates."""

  def __init__(
    self,
    config: ActorCriticConfig,
    networks: ActorCriticNetworks,
    objective: ObjectiveConfig,
    *_: Any,
  ):
    """Creates the optimizers, fresh; see `ActorCritic` for the arguments."""
    super().__init__(config, networks, objective)
    (name,) = config.filters
    self._filter = FILTERS[name]

  def improve(self, view: View, step: tf.Tensor) -> tuple[Losses, Metrics]:
    """See `ActorCritic.improve`."""
    del step  # Nothing is drawn.
    weight = self._filter(view.advantage)  # [N]
    loss = imitation(self.networks.policy, view, weight)
    return {'policy': loss}, {'selected': masked_mean(weight, view.mask)}
