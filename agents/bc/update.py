"""Behaviour cloning: regression on the actions to imitate (P002, section 4).

By itself it learns from any store; in cycle 0 of a run it gives the other
agents' policies their start.
"""

from collections.abc import Mapping
from typing import Optional, Union

import tensorflow as tf

from agents import base
from agents.bc.config import BCConfig
from agents.config import CloningConfig, ObjectiveConfig
from agents.parts import regularizers
from agents.parts.optimizers import Group
from datasets.types import Demonstration


class BC(base.Agent):
  """Fits the policy of any networks to demonstrated actions."""

  def __init__(
    self,
    config: Union[BCConfig, CloningConfig],
    networks: base.Networks,
    objective: ObjectiveConfig = ObjectiveConfig('none'),
    total_steps: int = 1,
    teacher_gradient: Optional[regularizers.Gradient] = None,
  ):
    """Creates the optimizer, fresh.

    Args:
      config: its learning rate and bound of the gradient are used.
      networks: their policy is trained in place.
      objective: 'none'; imitation has no other.
      total_steps: of no account, for nothing here is scheduled.
      teacher_gradient: of no account, like the objectives that use one.
    """
    del total_steps, teacher_gradient
    if objective.kind != 'none':
      raise ValueError(f'bc imitates; it has no objective {objective.kind!r}.')
    policy = networks.policy.trainable_variables
    group = Group('policy', policy, config.learning_rate, config.gradient_norm)
    super().__init__('cloning', networks, [group])
    self._optimizer = self.policy_optimizer  # Its name in older checkpoints.

  def update(
    self, batch: Demonstration, step: tf.Tensor
  ) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    del step  # Nothing here is scheduled.
    with tf.GradientTape() as tape:
      errors = self.networks.cloning_loss(*batch)  # [B]
      loss = tf.reduce_mean(errors)
    gradients = tape.gradient(loss, self.parameters('policy'))
    return {'cloning_loss': loss, **self.apply(policy=gradients)}
