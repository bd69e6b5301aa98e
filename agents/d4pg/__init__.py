"""D4PG: a distributional critic and a deterministic policy gradient."""

from typing import get_args

from agents.config import Kind
from agents.d4pg.config import D4PGConfig
from agents.entry import Entry

ENTRY = Entry(
  config=D4PGConfig,
  networks='agents.d4pg.networks:D4PGNetworks',
  agent='agents.d4pg.update:D4PG',
  batches='transitions',
  objectives=get_args(Kind),
  is_online=True,
  later_options=(
    'action_gradient_norm',
    'policy_loss_observation',
    'policy_learning_rate',
  ),
)
