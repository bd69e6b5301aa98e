"""Behaviour cloning: a policy that imitates, from any store."""

from agents.bc.config import BCConfig
from agents.entry import Entry

ENTRY = Entry(
  config=BCConfig,
  networks='agents.bc.networks:BCNetworks',
  agent='agents.bc.update:BC',
  batches='demonstrations',
  phases=('clone',),
)
