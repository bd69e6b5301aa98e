"""The networks that agents with a Gaussian policy share."""

from collections.abc import Mapping
from typing import Any, Optional

import tensorflow as tf

from agents import base
from agents.actor_critic.config import ActorCriticConfig
from agents.config import FilterCritic
from agents.deployed.policy import Policy, Snapshot
from agents.parts import critics, exports, gaussians
from agents.parts import networks as networks_lib
from datasets.types import EnvironmentSpec


class ActorCriticNetworks(base.Networks):
  """A policy, a critic, their late copies, and the priors.

  Attributes:
    policy: trained.
    critic: trained.
    target_policy: a late copy of `policy`.
    target_critic: a late copy of `critic`.
    initial_policy: pi_0, the cloned policy.
    previous_policy: pi_{k-1}, the policy that acts in this cycle.
    previous_critic: the critic as this cycle began.
    priors: trained; they have no copies.
  """

  policy: gaussians.GaussianPolicy

  def __init__(
    self,
    config: ActorCriticConfig,
    spec: EnvironmentSpec,
    num_priors: Optional[int] = None,
  ):
    """Creates them all.

    Args:
      config: hyper-parameters.
      spec: the sizes of the task.
      num_priors: None: one for each of the config's filters.
    """
    super().__init__()
    if num_priors is None:
      num_priors = len(config.filters)

    def policy() -> gaussians.GaussianPolicy:
      return gaussians.make_gaussian_policy(
        spec, config.policy_layer_sizes, config.min_variance
      )

    def critic() -> critics.ScalarCritic:
      return critics.make_scalar_critic(spec, config.critic_layer_sizes)

    self.policy, self.critic = policy(), critic()
    self.target_policy, self.target_critic = policy(), critic()
    self.priors = [policy() for _ in range(num_priors)]
    self.initial_policy, self.previous_policy = policy(), policy()
    self.previous_critic = critic()
    self.begin_reinforcement()
    self.begin_cycle()

  def value(self, filter_critic: FilterCritic) -> critics.ScalarCritic:
    """One of the critics."""
    return {
      'online': self.critic,
      'target': self.target_critic,
      'cycle_start': self.previous_critic,
    }[filter_critic]

  def cloning_loss(
    self, observation: tf.Tensor, action: tf.Tensor
  ) -> tf.Tensor:
    """Minus the log-likelihood, [B]; see `Networks.cloning_loss`."""
    return -self.policy(observation).log_prob(action)

  def begin_reinforcement(self) -> None:
    """After cloning: freezes pi_0, which targets and priors begin with."""
    for copy in (self.initial_policy, self.target_policy, *self.priors):
      networks_lib.copy_variables(self.policy, copy)
    networks_lib.copy_variables(self.critic, self.target_critic)

  def begin_cycle(self) -> None:
    """Freezes the policy that will act in the cycle, and its critic."""
    networks_lib.copy_variables(self.policy, self.previous_policy)
    networks_lib.copy_variables(self.critic, self.previous_critic)

  def deploy(self, policy: Policy) -> None:
    """See `Networks.deploy`."""
    exports.assign(self.previous_policy, policy.arrays)

  def export(self) -> Policy:
    """See `Networks.export`."""
    return exports.gaussian(self.policy)

  def companions(self) -> Mapping[str, Policy]:
    """See `Networks.companions`."""
    names = ('prior', *(f'prior{i}' for i in range(1, len(self.priors))))
    return {
      name: exports.gaussian(prior)
      for name, prior in zip(names, self.priors, strict=False)
    }

  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """See `Networks.snapshot`."""
    return exports.snapshot(self.export(), self.critic, metadata)
