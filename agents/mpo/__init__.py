"""MPO from logs; with a prior, bm_mpo and abm_mpo."""

from agents.entry import Entry
from agents.mpo.config import ABMMPOConfig, BMMPOConfig, MPOConfig

MPO = Entry(
  config=MPOConfig,
  networks='agents.actor_critic.networks:ActorCriticNetworks',
  agent='agents.mpo.update:MPO',
  batches='snippets',
  phases=(),
  is_online=True,
)
_WITH_PRIOR = MPO._replace(agent='agents.mpo.update:PriorMPO', is_online=False)
BM_MPO = _WITH_PRIOR._replace(config=BMMPOConfig)
ABM_MPO = _WITH_PRIOR._replace(config=ABMMPOConfig)
