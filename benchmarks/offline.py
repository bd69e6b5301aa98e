"""How fast agents learn from a log: python -m benchmarks.offline.

Sides, in turn, each in processes of its own; every figure is a median of
updates a second at cheetah's size, sampling included, from the same 20,000
transitions:

- ours_KIND_BATCH: our Learner with an agent, fed by our Memory.
- d3rlpy_KIND_BATCH: d3rlpy's BCQ and BEAR (PyTorch, two threads), fed by its
  own buffer, in an environment that the benchmark makes; the same networks,
  candidates and samples.
- acme_mpo_BATCH: Acme's MPOLearner, fed by Acme's dataset from a Reverb server
  in its own process; the same networks and samples.
- jax_bcq_BATCH: our BCQ's update in the newest JAX, jitted whole in one
  lax.scan that samples from arrays.
- many_tensorflow: 256 x 256 x 256 float32 products, one on each core at a time.
  What an update needs of them (`benchmarks.offline_cases`) gives its limit.
"""

import argparse
from collections.abc import Callable, Mapping
import json
import statistics
import sys
from typing import Any

from agents import registry
from agents.config import ObjectiveConfig
from benchmarks import common, environments, offline_cases, products, timing
from benchmarks.offline_cases import Case

BATCH_SIZES = (256, 512)
KINDS = ('bcq', 'bear_mmd', 'bcq_one_critic', 'abm_mpo', 'mpo')
_PEERS = {'d3rlpy': ('bcq', 'bear_mmd'), 'acme': ('mpo',), 'jax': ('bcq',)}
_PRODUCTS = 'many_tensorflow'
_GOALS = {
  'ratio_bcq': ('bcq', 'd3rlpy', 1.5),
  'ratio_bear': ('bear_mmd', 'd3rlpy', 1.5),
  'ratio_mpo': ('mpo', 'acme', 3.0),
  'ratio_bcq_jax': ('bcq', 'jax', 1.2),
}  # Ours, beside whom, and at least how much faster.
_LEAST_FRACTION = 0.62

_PRODUCTS_PER_STEP = 60  # Products measured for each update: about as long.


def sides() -> dict[str, tuple[str, Case]]:
  """Who runs what, by the side's name, but for the products."""
  ours = {kind for kind in KINDS if kind in registry.KINDS}
  return {
    f'{who}_{kind}_{size}': (who, Case(kind, size))
    for size in BATCH_SIZES
    for kind in KINDS
    for who in ('ours', *_PEERS)
    if kind in ours and (who == 'ours' or kind in _PEERS[who])
  }


def main() -> None:
  """Runs all sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=(*sides(), _PRODUCTS))
  parser.add_argument(
    '--rounds', type=int, default=3,
    help='how often each side is run (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--steps', type=int, default=50,
    help='updates from one look at the clock to the next '
    '(default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.side:
    common.print_json(run_side(options.side, options.steps))
  else:
    compare(options.rounds, options.steps)


def run_side(side: str, steps: int) -> Mapping[str, Any]:
  """The rates of one side."""
  if side == _PRODUCTS:
    run = products.tensorflow_products(one_at_a_time=False)
    return {'rates': timing.rates(run, _PRODUCTS_PER_STEP * steps)}
  who, case = sides()[side]
  if who in ('d3rlpy', 'jax'):
    return _elsewhere(who, case, steps)
  return {'rates': timing.rates(_here(who, case), steps)}


def _here(who: str, case: Case) -> Callable[[int], Any]:
  if who == 'acme':
    from benchmarks import offline_acme

    return offline_acme.make(case.batch_size)
  from benchmarks import learner_ours

  config = offline_cases.config_of(case)
  return learner_ours.make(config, ObjectiveConfig('none'))


def _elsewhere(who: str, case: Case, steps: int) -> Mapping[str, Any]:
  environment = {'d3rlpy': environments.D3RLPY, 'jax': environments.JAX}[who]
  described = {
    **case._asdict(),
    'layer_sizes': offline_cases.LAYER_SIZES,
    'samples': offline_cases.SAMPLES,
    'matched': offline_cases.MATCHED,
    'steps': steps,
  }
  return common.run_command(
    [
      str(environments.python(environment)), '-m', f'benchmarks.offline_{who}',
      json.dumps(described),
    ]
  )  # fmt: skip


def compare(rounds: int, steps: int) -> None:
  """Measures every side in turn, several times."""
  cases = sides()
  rates: dict[str, list[float]] = {side: [] for side in (*cases, _PRODUCTS)}
  versions: dict[str, str] = {}
  for number in range(rounds):
    for side in rates:
      print(
        f'measuring, {number + 1} of {rounds}: {side} ...',
        file=sys.stderr,
        flush=True,
      )
      result = common.run_side('benchmarks.offline', side, [f'--steps={steps}'])
      rates[side] += result['rates']
      versions |= result.get('versions', {})
  median = {side: statistics.median(rates[side]) for side in rates}
  flops_per_second = median.pop(_PRODUCTS) * products.FLOPS
  ratios = {
    name if size == BATCH_SIZES[0] else f'{name}_{size}': round(
      median[f'ours_{kind}_{size}'] / median[f'{peer}_{kind}_{size}'], 2
    )
    for name, (kind, peer, _) in _GOALS.items()
    for size in BATCH_SIZES
    if f'ours_{kind}_{size}' in median
  }
  limits = {
    case.name: flops_per_second / offline_cases.flops(case)
    for who, case in cases.values()
    if who == 'ours'
  }
  fractions = {
    name: round(median[f'ours_{name}'] / limit, 3)
    for name, limit in limits.items()
  }
  lines = {side: f'{rate:.1f}' for side, rate in median.items()}
  for name, ratio in ratios.items():
    lines[name] = common.goal(ratio, _GOALS[name.removesuffix('_512')][2])
  for name, fraction in fractions.items():
    lines[f'{name} of its limit'] = common.goal(fraction, _LEAST_FRACTION)
  result = {
    **ratios,
    'fraction_of_limit': fractions,
    'steps_per_second': {n: round(rate, 1) for n, rate in median.items()},
    'limit_steps_per_second': {n: round(at, 1) for n, at in limits.items()},
    'flops_per_step': {
      case.name: offline_cases.flops(case)
      for who, case in cases.values()
      if who == 'ours'
    },
    'product_gflops': round(flops_per_second / 1e9, 1),
    'peers': versions,
  }
  common.report('Offline agents, updates per second', lines, result)


if __name__ == '__main__':
  main()
