"""SVG(0) from logs; with a prior, bm_svg and abm_svg."""

from typing import get_args

from agents.config import Kind
from agents.entry import Entry
from agents.svg.config import ABMSVGConfig, BMSVGConfig, SVGConfig

SVG = Entry(
  config=SVGConfig,
  networks='agents.actor_critic.networks:ActorCriticNetworks',
  agent='agents.svg.update:SVG',
  batches='snippets',
  is_online=True,
  objectives=get_args(Kind),
  later_options=(
    'advantage_filter',
    'dual_learning_rate',
    'epsilon',
    'multiplier_floor',
  ),
)
_WITH_PRIOR = SVG._replace(agent='agents.svg.update:PriorSVG', is_online=False)
BM_SVG = _WITH_PRIOR._replace(config=BMSVGConfig)
ABM_SVG = _WITH_PRIOR._replace(config=ABMSVGConfig)
