"""A prior that is the policy: imitation alone, of some actions (P004, B.7)."""

import tensorflow as tf

from agents.actor_critic.update import FILTERS, ActorCritic, imitation
from agents.actor_critic.view import Improvement, View
from agents.parts.snippets import masked_mean


class Prior(ActorCritic):
  """Its values are of itself, and they say what it imitates."""

  def improve(self, view: View, step: tf.Tensor) -> Improvement:
    """See `ActorCritic.improve`."""
    del step  # Nothing is drawn.
    (name,) = self.config.filters
    weight = FILTERS[name](view.advantage)  # [N]
    return Improvement(
      imitation(self.networks.policy, view, weight),
      [],
      tf.zeros([]),
      {'selected': masked_mean(weight, view.mask)},
    )
