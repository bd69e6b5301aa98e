"""BCQ: Q-learning on actions like the logged."""

from agents.bcq.config import BCQConfig, OneCriticConfig
from agents.entry import Entry

BCQ = Entry(
  config=BCQConfig,
  networks='agents.bcq.networks:BCQNetworks',
  agent='agents.bcq.update:BCQ',
  batches='transitions',
  phases=('pretrain',),
  objectives=('none',),
  why_no_other='it has no policy to pull at, but chooses among candidates',
)
ONE_CRITIC = BCQ._replace(config=OneCriticConfig)
