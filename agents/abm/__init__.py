"""The priors by themselves: bm imitates all, abm what was advantageous."""

from agents.abm.config import ABMConfig, BMConfig
from agents.entry import Entry

BM = Entry(
  config=BMConfig,
  networks='agents.abm.networks:PriorNetworks',
  agent='agents.abm.update:Prior',
  batches='snippets',
  phases=(),
)
ABM = BM._replace(config=ABMConfig)
