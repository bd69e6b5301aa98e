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
from collections.abc import Callable, Sequence
import itertools
import statistics
import sys
import time
from typing import Any

import numpy as np

from benchmarks import common

OBSERVATION_SIZE, ACTION_SIZE = 17, 6
LAYER_SIZES = (256, 256, 256)
NUM_ATOMS, BATCH_SIZE = 51, 256
EPISODES, EPISODE_STEPS = 20, 1_000
SIDES = (
  'acme', 'ours', 'ours_bc_decay',
  'one_tensorflow', 'one_numpy', 'many_tensorflow',
)  # fmt: skip
_PRODUCT_FLOPS = 2 * 256**3

_WINDOWS = 5  # Rates that one run of a side gives.
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
  limit = one * _PRODUCT_FLOPS / flops
  many_limit = median['many_tensorflow'] * _PRODUCT_FLOPS / flops
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
      side: round(median[side] * _PRODUCT_FLOPS / 1e9, 1) for side in SIDES[3:]
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

  def forward(sizes: Sequence[int]) -> int:
    pairs = itertools.pairwise(sizes)
    return sum(2 * BATCH_SIZE * n * m for n, m in pairs)

  policy = (OBSERVATION_SIZE, *LAYER_SIZES, ACTION_SIZE)
  critic = (OBSERVATION_SIZE + ACTION_SIZE, *LAYER_SIZES, NUM_ATOMS)
  values = 2 * forward(policy) + 3 * forward(critic)
  weights = forward(policy) + forward(critic)
  inputs = forward(policy[1:]) + forward(critic[1:])
  to_action = forward((ACTION_SIZE, *critic[1:]))
  return values + weights + inputs + to_action


def run_side(side: str, steps: int) -> list[float]:
  """Updates, or products, per second, once for each window."""
  if side == 'one_numpy':
    return _rates(_numpy_products, _PRODUCTS * steps)
  if side.endswith('_tensorflow'):
    run = _tensorflow_products(one_at_a_time=side.startswith('one'))
    return _rates(run, _PRODUCTS * steps)
  if side == 'acme':
    return _rates(_acme(), steps)
  return _rates(_ours('bc_decay' if side == 'ours_bc_decay' else 'none'), steps)


def _rates(run: Callable[[int], Any], steps: int) -> list[float]:
  run(steps)  # Traces the graph, fills the caches.
  rates = []
  for _ in range(_WINDOWS):
    started = time.perf_counter()
    run(steps)
    rates.append(steps / (time.perf_counter() - started))
  return rates


def _episodes() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
  """Observations, actions and rewards of episodes of noise."""
  random = np.random.default_rng(0)

  def normal(*shape: int) -> np.ndarray:
    return random.standard_normal(shape, dtype=np.float32)

  return [
    (
      normal(EPISODE_STEPS + 1, OBSERVATION_SIZE),
      np.tanh(normal(EPISODE_STEPS, ACTION_SIZE)),
      normal(EPISODE_STEPS),
    )
    for _ in range(EPISODES)
  ]


def _ours(kind: Any) -> Callable[[int], Any]:
  # Imported here: it sets TensorFlow's threads, which are not Acme's.
  from agents import registry
  from agents.config import ObjectiveConfig
  from agents.d4pg.config import D4PGConfig
  from agents.learner import Learner
  from datasets.memory import Memory
  from datasets.types import EnvironmentSpec, Episode, EpisodeId
  from launchers.nodes.batches import sampler_for

  config = D4PGConfig()
  memory = Memory(config.n_step, config.discount)
  memory.extend(
    Episode(
      EpisodeId('benchmark', 1, 0, i),
      'noise',
      observations,
      actions,
      rewards,
      np.ones_like(rewards),
    )
    for i, (observations, actions, rewards) in enumerate(_episodes())
  )
  spec = EnvironmentSpec(OBSERVATION_SIZE, ACTION_SIZE)
  networks = registry.make_networks(config, spec, seed=0)
  agent = registry.make_agent(config, networks, ObjectiveConfig(kind), 100_000)
  return Learner(agent, sampler_for(config, agent, memory, seed=0)).run


def _acme() -> Callable[[int], Any]:
  from benchmarks import learner_acme

  step = learner_acme.make_learner(_episodes()).step

  def run(steps: int) -> None:
    for _ in range(steps):
      step()

  return run


def _numpy_products(products: int) -> None:
  factor = np.full((256, 256), 1 / 256, np.float32)
  result = np.empty_like(factor)
  for _ in range(products):
    np.dot(factor, factor, out=result)


def _tensorflow_products(one_at_a_time: bool) -> Callable[[int], Any]:
  import tensorflow as tf

  cores = common.machine()['cores']
  chains = 1 if one_at_a_time else cores
  threads = tf.config.threading
  threads.set_inter_op_parallelism_threads(chains)
  threads.set_intra_op_parallelism_threads(cores if one_at_a_time else 1)
  factor = tf.random.stateless_uniform([256, 256], [0, 0]) / 128

  @tf.function(autograph=False)
  def multiply(count: tf.Tensor) -> list[tf.Tensor]:
    return tf.while_loop(
      lambda i, _: i < count,
      lambda i, chains: (i + 1, [tf.matmul(c, factor) for c in chains]),
      [0, [factor + i for i in range(chains)]],
    )[1]

  def run(products: int) -> None:
    for result in multiply(tf.constant(products // chains)):
      result.numpy()

  return run


if __name__ == '__main__':
  main()
