"""BEAR: Q-learning that stays near the behaviour."""

from typing import get_args

from agents.bear.config import BEARConfig
from agents.config import Kind
from agents.entry import Entry

BEAR = Entry(
  config=BEARConfig,
  networks='agents.bear.networks:BEARNetworks',
  agent='agents.bear.update:BEAR',
  batches='snippets',
  objectives=get_args(Kind),
  later_options=(
    'dual_learning_rate',
    'epsilon',
    'multiplier_floor',
  ),
)
