"""DDPG: a deterministic policy that climbs a critic, on plain networks."""

from agents.ddpg.config import DDPGConfig
from agents.entry import Entry

ENTRY = Entry(
  config=DDPGConfig,
  networks='agents.ddpg.networks:DDPGNetworks',
  agent='agents.ddpg.update:DDPG',
  batches='transitions',
  phases=(),
  is_online=True,
)
