"""How fast the D4PG learner updates: python -m benchmarks.learner.

Sides, in turn, each in processes of its own; every figure is a median:

- acme: Acme's D4PGLearner, fed by Acme's dataset from a Reverb server in its
  own process, as Acme runs on one machine.
- ours: our Learner with D4PG, fed by our Memory. Same networks (3 x 256), same
  batch (256), same 20,000 transitions (17 observations, 6 actions), and the
  same objective ('none').
- ours_bc_decay: the same with our default objective, which evaluates one more
  policy.
- one_tensorflow, one_numpy: the rate of 256 x 256 x 256 float32 products, one
  at a time on all cores, by TensorFlow and by NumPy.
- many_tensorflow: the same products, one on each core at a time.

The limit is the number of updates that the faster rate of one product at a
time allows. An update's products depend on each other, but not all of them, so
the rate of many at a time gives a second limit, which is stricter. Both count
the products that an update cannot do without, and nothing else:

- the forward passes: policy and critic twice each (the critic once at the
  action that was taken, once at the policy's), both targets once;
- of the critic's and the policy's loss, the gradient of every weight, and of
  every layer's input but the first;
- of dQ/da, the gradient of every layer's input, of the first one's only the
  part that is the action.
"""

import argparse
from collections.abc import Callable
import functools
import statistics
import sys
from typing import Any

from benchmarks import common, noise, products, timing

LAYER_SIZES = (256, 256, 256)
NUM_ATOMS, BATCH_SIZE = 51, 256
SIDES = (
  'acme', 'ours', 'ours_bc_decay',
  'one_tensorflow', 'one_numpy', 'many_tensorflow',
)  # fmt: skip
_PRODUCTS = 30  # Products measured for each update: about as long.


def main() -> None:
  """Runs all sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=SIDES)
  parser.add_argument(
    '--rounds', type=int, default=3,
    help='how often each side is run (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--steps', type=int, default=60,
    help='updates from one look at the clock to the next '
    '(default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.side:
    common.print_json({'rates': run_side(options.side, options.steps)})
  else:
    compare(options.rounds, options.steps)


def compare(rounds: int, steps: int) -> None:
  """Measures every side in turn, several times."""
  rates: dict[str, list[float]] = {side: [] for side in SIDES}
  for number in range(rounds):
    for side in SIDES:
      print(
        f'measuring, {number + 1} of {rounds}: {side} ...',
        file=sys.stderr,
        flush=True,
      )
      result = common.run_side('benchmarks.learner', side, [f'--steps={steps}'])
      rates[side] += result['rates']
  median = {side: statistics.median(rates[side]) for side in SIDES}
  flops = flops_per_step()
  one = max(median['one_tensorflow'], median['one_numpy'])
  limit = one * products.FLOPS / flops
  many_limit = median['many_tensorflow'] * products.FLOPS / flops
  result = {
    'ratio_vs_acme': round(median['ours'] / median['acme'], 2),
    'fraction_of_limit': round(median['ours'] / limit, 3),
    'fraction_of_many_limit': round(median['ours'] / many_limit, 3),
    'steps_per_second': round(median['ours'], 1),
    'steps_per_second_bc_decay': round(median['ours_bc_decay'], 1),
    'acme_steps_per_second': round(median['acme'], 1),
    'limit_steps_per_second': round(limit, 1),
    'many_limit_steps_per_second': round(many_limit, 1),
    'flops_per_step': flops,
    'product_gflops': {
      side: round(median[side] * products.FLOPS / 1e9, 1) for side in SIDES[3:]
    },
  }
  common.report(
    'D4PG learner, 3 x 256, batch 256, updates per second',
    {
      'products': f'{flops / 1e9:.3f} GFLOP an update',
      'limit, one at a time': f'{limit:.0f}',
      'limit, one on each core': f'{many_limit:.0f}',
      'ours': f'{median["ours"]:.0f}',
      'ours, default objective': f'{median["ours_bc_decay"]:.0f}',
      'Acme, from Reverb': f'{median["acme"]:.0f}',
      'ratio_vs_acme': common.goal(result['ratio_vs_acme'], 1.8),
      'fraction_of_limit': common.goal(result['fraction_of_limit'], 0.65),
      'fraction_of_many_limit': f'{result["fraction_of_many_limit"]:.2f}',
    },
    result,
  )


def flops_per_step() -> int:
  """Of the products of one update; see the top of this file."""
  forward = functools.partial(products.forward, BATCH_SIZE)
  policy = (noise.OBSERVATION_SIZE, *LAYER_SIZES, noise.ACTION_SIZE)
  critic = (noise.OBSERVATION_SIZE + noise.ACTION_SIZE, *LAYER_SIZES, NUM_ATOMS)
  values = 2 * forward(policy) + 3 * forward(critic)
  weights = forward(policy) + forward(critic)
  inputs = forward(policy[1:]) + forward(critic[1:])
  to_action = forward((noise.ACTION_SIZE, *critic[1:]))
  return values + weights + inputs + to_action


def run_side(side: str, steps: int) -> list[float]:
  """Updates, or products, per second, once for each window."""
  if side == 'one_numpy':
    return timing.rates(products.numpy_products, _PRODUCTS * steps)
  if side.endswith('_tensorflow'):
    run = products.tensorflow_products(one_at_a_time=side.startswith('one'))
    return timing.rates(run, _PRODUCTS * steps)
  if side == 'acme':
    return timing.rates(_acme(), steps)
  return timing.rates(
    _ours('bc_decay' if side == 'ours_bc_decay' else 'none'), steps
  )


def _ours(kind: Any) -> Callable[[int], Any]:
  # Imported here: it sets TensorFlow's threads, which are not Acme's.
  from agents.config import ObjectiveConfig
  from agents.d4pg.config import D4PGConfig
  from benchmarks import learner_ours

  return learner_ours.make(D4PGConfig(), ObjectiveConfig(kind))


def _acme() -> Callable[[int], Any]:
  from benchmarks import learner_acme

  step = learner_acme.make_learner(noise.episodes()).step

  def run(steps: int) -> None:
    for _ in range(steps):
      step()

  return run


if __name__ == '__main__':
  main()
