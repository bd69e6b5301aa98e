"""How fast one actor collects: python -m benchmarks.acting.

Three sides, one after another, each in processes of its own, on cheetah-run:

- env: the bare dm_control environment with random actions. The limit.
- acme: Acme's FeedForwardActor (policy in a tf.function), NStepTransitionAdder
  (n = 5) and EnvironmentLoop, inserting into another process's Reverb server.
- ours: our actor node, our Reverb server and our curator, each in a process of
  its own; the clock stops when the last episode is durable (checked, written,
  synced) and handed to the learner's table.

Each side first does one episode that is not counted.
"""

import argparse
import sys
import time

import numpy as np

from benchmarks import common

_EPISODE_STEPS = 1_000


def main() -> None:
  """Runs all sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=['env', 'acme', 'ours'])
  parser.add_argument(
    '--episodes', type=int, default=100,
    help='episodes of 1000 steps for env and ours (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--acme_episodes', type=int, default=10,
    help='episodes for Acme, which takes longer (default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.side:
    is_acme = options.side == 'acme'
    episodes = options.acme_episodes if is_acme else options.episodes
    rate = episodes * _EPISODE_STEPS / run_side(options.side, episodes)
    common.print_json({'steps_per_second': round(rate, 1)})
  else:
    compare(options.episodes, options.acme_episodes)


def run_side(side: str, episodes: int) -> float:
  """Seconds that a side takes for so many episodes.

  Only this process imports what that side needs.
  """
  if side == 'env':
    return run_env(episodes)
  if side == 'acme':
    from benchmarks import acting_acme

    return acting_acme.run(episodes)
  from benchmarks import nodes

  with nodes.running(episodes + 1) as running:
    running.wait(1)
    started = time.perf_counter()
    running.wait(episodes + 1)
    return time.perf_counter() - started


def compare(episodes: int, acme_episodes: int) -> None:
  """Measures all sides, and the environment twice, around the others."""
  arguments = [f'--episodes={episodes}', f'--acme_episodes={acme_episodes}']
  rates = {}
  for side in ('env', 'ours', 'acme', 'env_again'):
    print(f'measuring: {side} ...', file=sys.stderr, flush=True)
    name = side.removesuffix('_again')
    result = common.run_side('benchmarks.acting', name, arguments)
    rates[side] = result['steps_per_second']
  # The faster of the two: the limit is what the machine can do.
  env = max(rates['env'], rates['env_again'])
  result = {
    'ratio_vs_acme': round(rates['ours'] / rates['acme'], 2),
    'fraction_of_env': round(rates['ours'] / env, 3),
    'steps_per_second': rates['ours'],
    'acme_steps_per_second': rates['acme'],
    'env_steps_per_second': env,
    'episodes': episodes,
    'acme_episodes': acme_episodes,
  }
  common.report(
    'Acting on cheetah-run, one actor, environment steps per second',
    {
      'bare environment': f'{env:,.0f}',
      'ours, durable': f'{rates["ours"]:,.0f}',
      'Acme': f'{rates["acme"]:,.0f}',
      'ratio_vs_acme': common.goal(result['ratio_vs_acme'], 12),
      'fraction_of_env': common.goal(result['fraction_of_env'], 0.7),
    },
    result,
  )


def run_env(episodes: int) -> float:
  """Seconds for stepping the bare environment with random actions."""
  from dm_control import suite

  environment = suite.load('cheetah', 'run', task_kwargs={'random': 0})
  spec = environment.action_spec()
  random = np.random.default_rng(0)
  actions = random.uniform(
    spec.minimum, spec.maximum, (_EPISODE_STEPS, *spec.shape)
  )

  def run_episode() -> None:
    environment.reset()
    for action in actions:
      environment.step(action)

  run_episode()
  started = time.perf_counter()
  for _ in range(episodes):
    run_episode()
  return time.perf_counter() - started


if __name__ == '__main__':
  main()
