"""BEAR: Q-learning that stays near the behaviour."""

from agents.bear.config import BEARConfig
from agents.entry import Entry

BEAR = Entry(
  config=BEARConfig,
  networks='agents.bear.networks:BEARNetworks',
  agent='agents.bear.update:BEAR',
  batches='snippets',
  phases=(),
)
