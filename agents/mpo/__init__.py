"""MPO from logs; with a prior, bm_mpo and abm_mpo."""

from agents.entry import WITHOUT_GRADIENTS, Entry
from agents.mpo.config import ABMMPOConfig, BMMPOConfig, MPOConfig

MPO = Entry(
  config=MPOConfig,
  networks='agents.actor_critic.networks:ActorCriticNetworks',
  agent='agents.mpo.update:MPO',
  batches='snippets',
  is_online=True,
  objectives=WITHOUT_GRADIENTS,
  why_no_other='its policy imitates samples, and follows no gradient',
  later_options=(
    'advantage_filter',
    'dual_learning_rate',
    'epsilon',
    'epsilon_mean',
    'epsilon_covariance',
    'multiplier_floor',
  ),
)
_WITH_PRIOR = MPO._replace(agent='agents.mpo.update:PriorMPO', is_online=False)
BM_MPO = _WITH_PRIOR._replace(config=BMMPOConfig)
ABM_MPO = _WITH_PRIOR._replace(config=ABMMPOConfig)
