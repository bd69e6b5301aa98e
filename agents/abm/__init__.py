"""The priors by themselves: bm imitates all, abm what was advantageous."""

from agents.abm.config import ABMConfig, BMConfig
from agents.entry import WITHOUT_GRADIENTS, Entry

BM = Entry(
  config=BMConfig,
  networks='agents.abm.networks:PriorNetworks',
  agent='agents.abm.update:Prior',
  batches='snippets',
  objectives=WITHOUT_GRADIENTS,
  why_no_other='its policy imitates what was done, and follows no gradient',
  later_options=('dual_learning_rate', 'advantage_filter'),
)
ABM = BM._replace(config=ABMConfig)
