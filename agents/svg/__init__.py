"""SVG(0) from logs; with a prior, bm_svg and abm_svg."""

from agents.entry import Entry
from agents.svg.config import ABMSVGConfig, BMSVGConfig, SVGConfig

SVG = Entry(
  config=SVGConfig,
  networks='agents.actor_critic.networks:ActorCriticNetworks',
  agent='agents.svg.update:SVG',
  batches='snippets',
  phases=(),
  is_online=True,
)
_WITH_PRIOR = SVG._replace(agent='agents.svg.update:PriorSVG', is_online=False)
BM_SVG = _WITH_PRIOR._replace(config=BMSVGConfig)
ABM_SVG = _WITH_PRIOR._replace(config=ABMSVGConfig)
