"""MPO: a policy drawn to what its critic prefers among samples (P004, B.5)."""

from typing import Any, Optional

import tensorflow as tf

from agents.actor_critic.networks import ActorCriticNetworks
from agents.actor_critic.update import IMPROVEMENT, ActorCritic
from agents.actor_critic.view import Improvement, View
from agents.config import ObjectiveConfig
from agents.mpo import losses
from agents.mpo.config import MPOConfig
from agents.parts import duals
from agents.parts.regularizers import Gradient
from agents.parts.snippets import masked_mean


class MPO(ActorCritic):
  """The samples are of the target policy, and the same as for its values."""

  def __init__(
    self,
    config: MPOConfig,
    networks: ActorCriticNetworks,
    objective: ObjectiveConfig,
    total_steps: int = 1,
    teacher_gradient: Optional[Gradient] = None,
  ):
    """Creates optimizers and multipliers; see `ActorCritic` for the arguments.

    Raises:
      ValueError: the objective is about a gradient, and MPO follows none.
    """
    if objective.uses_teacher_gradients:
      raise ValueError(f'{config.kind} has no objective {objective.kind!r}.')
    floor, first = config.multiplier_floor, config.initial_multiplier
    size = networks.policy.head.output_size // 2
    shape = (size,) if config.per_dimension else ()
    self.temperature = duals.Multiplier(
      'temperature', config.initial_temperature, floor
    )
    self.alpha_mean = duals.Multiplier('alpha_mean', first, floor, shape)
    self.alpha_covariance = duals.Multiplier(
      'alpha_covariance', first, floor, shape
    )
    multipliers = (self.temperature, self.alpha_mean, self.alpha_covariance)
    super().__init__(
      config, networks, objective, total_steps, teacher_gradient, multipliers
    )
    self.config: MPOConfig = config

  def proposals(
    self, view: View, step: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """The samples of the E-step, [M, N, A], and their values, [M, N]."""
    del step
    return view.samples, view.sample_values

  def improve(self, view: View, step: tf.Tensor) -> Improvement:
    """See `ActorCritic.improve`."""
    config, eta = self.config, self.temperature.value.read_value()
    samples, values = map(tf.stop_gradient, self.proposals(view, step))
    weights = losses.sample_weights(values, eta)  # [M, N]
    online = self.networks.policy(view.observation)
    target = self.networks.target_policy(view.observation)
    moved = losses.decoupled(online, target)
    constraints = [
      duals.Constraint(multiplier, bound, self._measured(target, policy, view))
      for multiplier, bound, policy in zip(
        (self.alpha_mean, self.alpha_covariance),
        (config.epsilon_mean, config.epsilon_covariance),
        moved,
        strict=True,
      )
    ]
    dual = losses.temperature_dual(values, eta, config.epsilon)  # [N]
    std = tf.reduce_mean(online.stddev(), axis=-1)  # [N]
    return Improvement(
      losses.weighted_likelihood(weights, samples, moved),
      constraints,
      masked_mean(dual, view.mask),
      {
        'temperature': eta,
        'kl_mean': tf.reduce_sum(constraints[0].measured),
        'kl_covariance': tf.reduce_sum(constraints[1].measured),
        'policy_std': masked_mean(std, view.mask),
      },
    )

  def _measured(self, target: Any, moved: Any, view: View) -> tf.Tensor:
    """The mean KL: [A] where the bounds are of dimensions, else a scalar."""
    kl = masked_mean(losses.divergence(target, moved), view.mask)  # [A]
    return kl if self.config.per_dimension else tf.reduce_sum(kl)


class PriorMPO(MPO):
  """The samples are of the prior."""

  def proposals(
    self, view: View, step: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """See `MPO.proposals`."""
    (prior,) = self.networks.priors
    seed = self.random_seed(step, IMPROVEMENT)
    return self.sample(prior, view.observation, seed)
