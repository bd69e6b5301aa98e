"""The networks of BEAR with an MMD constraint."""

from collections.abc import Callable

import tensorflow as tf

from agents.bcq.networks import BatchConstrainedNetworks
from agents.bcq.update import evaluate
from agents.bear_mmd.config import BEARMMDConfig
from agents.config import FilterCritic
from agents.deployed.policy import Policy
from agents.parts import exports, gaussians
from agents.parts import networks as networks_lib
from agents.parts.perceptrons import make_mlp
from datasets.types import EnvironmentSpec


class BEARMMDNetworks(BatchConstrainedNetworks):
  """... whose policy is a Gaussian of raw actions, and its frozen copies.

  Attributes:
    initial_policy: pi_0, the cloned policy.
    previous_policy: pi_{k-1}, the policy that acts in this cycle.
    previous_critics: the critics as this cycle began.
    noise: [n, A], standard normal; drawn once, so that what is deployed is a
      function of the observation.
  """

  policy: gaussians.RawGaussianPolicy

  def __init__(self, config: BEARMMDConfig, spec: EnvironmentSpec):
    super().__init__(config, spec)
    self.initial_policy, self.previous_policy = (
      self.make_policy(config, spec) for _ in range(2)
    )
    self.previous_critics = [
      make_mlp(sum(spec), config.critic_layer_sizes, 1, 'critic')
      for _ in self.critics
    ]
    shape = [config.num_acting_samples, spec.action_size]
    self.noise = tf.Variable(
      tf.random.normal(shape), trainable=False, name='noise'
    )
    self.begin_reinforcement()
    self.begin_cycle()

  @staticmethod
  def make_policy(
    config: BEARMMDConfig, spec: EnvironmentSpec
  ) -> gaussians.RawGaussianPolicy:
    """See `BatchConstrainedNetworks.make_policy`."""
    return gaussians.make_raw_gaussian_policy(spec, config.policy_layer_sizes)

  def cloning_loss(
    self, observation: tf.Tensor, action: tf.Tensor
  ) -> tf.Tensor:
    """Minus the log-likelihood of the raw action, [B]."""
    return -self.policy(observation).log_prob(gaussians.raw(action))

  def begin_reinforcement(self) -> None:
    """After cloning: freezes pi_0, and makes the targets equal."""
    super().begin_reinforcement()
    networks_lib.copy_variables(self.policy, self.initial_policy)

  def begin_cycle(self) -> None:
    """Freezes the policy that will act in the cycle, and its critics."""
    networks_lib.copy_variables(self.policy, self.previous_policy)
    pairs = zip(self.critics, self.previous_critics, strict=True)
    for critic, copy in pairs:
      networks_lib.copy_variables(critic, copy)

  def deploy(self, policy: Policy) -> None:
    """See `Networks.deploy`."""
    prefix = 'policy/'
    arrays = {
      name.removeprefix(prefix): array
      for name, array in policy.arrays.items()
      if name.startswith(prefix)
    }
    exports.assign(self.previous_policy, arrays)

  def value(
    self, filter_critic: FilterCritic
  ) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The least of some critics, [B], at observations and raw actions."""
    members = {
      'online': self.critics,
      'target': self.target_critics,
      'cycle_start': self.previous_critics,
    }[filter_critic]
    return lambda observation, raw: tf.reduce_min(
      evaluate(members, observation, tf.tanh(raw)), axis=-1
    )

  def export(self) -> Policy:
    """See `Networks.export`."""
    return exports.best_of_raw_gaussian(
      self.policy, self.critics[0], self.noise.numpy()
    )
