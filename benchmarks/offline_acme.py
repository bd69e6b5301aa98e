"""Acme's MPO learner, fed as `benchmarks.learner_acme` feeds D4PG's.

Acme's own parts with the defaults of its agent, but for what must be equal on
both sides: the layers, the batch, transitions of one step, and 20 samples.
"""

from collections.abc import Callable

from acme.agents.tf.mpo import learning
from acme.tf import networks as acme_networks
from acme.tf import utils as tf2_utils
from acme.utils import loggers
import sonnet as snt

from agents.mpo.config import MPOConfig
from benchmarks import learner_acme, noise


def make(batch_size: int) -> Callable[[int], None]:
  """What does so many updates."""
  config = MPOConfig()
  episodes = noise.episodes()
  spec = learner_acme.spec_of(episodes)
  server, dataset = learner_acme.serve(
    episodes, n_step=1, batch_size=batch_size
  )
  nets = [_networks(config) for _ in range(2)]
  for policy, critic in nets:
    tf2_utils.create_variables(policy, [spec.observations])
    tf2_utils.create_variables(critic, [spec.observations, spec.actions])
  learner = learning.MPOLearner(
    policy_network=nets[0][0],
    critic_network=nets[0][1],
    target_policy_network=nets[1][0],
    target_critic_network=nets[1][1],
    discount=config.discount,
    num_samples=config.num_samples,
    target_policy_update_period=config.target_update_period,
    target_critic_update_period=config.target_update_period,
    dataset=dataset,
    logger=loggers.NoOpLogger(),
    checkpoint=False,
  )
  learner.server = server

  def run(steps: int) -> None:
    for _ in range(steps):
      learner.step()

  return run


def _networks(config: MPOConfig) -> tuple[snt.Module, snt.Module]:
  """Acme's blocks in our sizes: a policy and a critic."""
  policy = snt.Sequential(
    [
      acme_networks.LayerNormMLP(
        config.policy_layer_sizes, activate_final=True
      ),
      acme_networks.MultivariateNormalDiagHead(noise.ACTION_SIZE),
    ]
  )
  critic = snt.Sequential(
    [
      acme_networks.CriticMultiplexer(),
      acme_networks.LayerNormMLP(
        config.critic_layer_sizes, activate_final=True
      ),
      acme_networks.NearZeroInitializedLinear(1),
    ]
  )
  return policy, critic
