"""BEAR as it was published: Q-learning on actions that the log may have had."""

from typing import get_args

from agents.bear_mmd.config import BEARMMDConfig
from agents.config import Kind
from agents.entry import Entry

BEAR_MMD = Entry(
  config=BEARMMDConfig,
  networks='agents.bear_mmd.networks:BEARMMDNetworks',
  agent='agents.bear_mmd.update:BEARMMD',
  batches='snippets',
  objectives=get_args(Kind),
  later_options=(
    'dual_learning_rate',
    'epsilon',
    'greatest_log_multiplier',
    'kernel',
    'kernel_width',
    'least_log_multiplier',
    'num_matched_samples',
    'warm_up_steps',
  ),
)
