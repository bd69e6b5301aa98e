"""What evaluating costs the learner: python -m benchmarks.evaluation.

One D4PG learner (3 x 256, batch 256) asks for an evaluation of its policy every
100 updates, of 1 episode of 1000 steps, as the protocol has it, or of 10. A
process of its own evaluates:

- peer: dm_control's environment, one episode after the other, one observation
  at a time, at the learner's priority;
- every: our evaluator node, all that was asked for;
- fused: the same, thinned as a run does it.

A window is 1000 updates. It ends when the last evaluation is there, so that an
evaluator that falls behind is not called free; the rates of the updates alone,
which the learner of a run does not hold up for evaluations, are given, too. The
windows alternate: alone, then with each evaluator at each number of episodes,
and so on for some rounds. Every figure is a median over the rounds, every ratio
one of rates of the same round.

The evaluators' own rates are measured at the end, while the learner rests.
"""

import argparse
from collections.abc import Callable
import statistics
import sys
import time
from typing import Any, Optional

import numpy as np

from benchmarks import common, evaluation_processes
from benchmarks.evaluation_processes import AT_ONCE, EPISODE_STEPS, Evaluator
from launchers.environments.suite import TASKS, Environment
from launchers.nodes.evaluation_budget import Budget

INTERVAL = 100
FEW, MANY = 1, 10  # Episodes of an evaluation.
GOAL = 0.9  # Of the rate alone.
_BATCH, _DATA_EPISODES = 256, 20
_CREDIT = 0.2  # Core-seconds: little, for it is not there in the long run.

_Rates = tuple[float, float]
"""Updates per second, without the wait for the last evaluation and with."""


class Case:
  """An evaluator, and what it is asked for.

  Attributes:
    evaluator: its process.
    episodes: of one evaluation.
    budget: of a run, in the learner's time alone; None: without end.
  """

  def __init__(self, evaluator: Evaluator, episodes: int, is_thinned: bool):
    self.evaluator, self.episodes = evaluator, episodes
    self._learned, self._asked, self._granted = 0.0, 0, 0
    self.budget = (
      Budget(_CREDIT, clock=lambda: self._learned) if is_thinned else None
    )

  def ask(self, policy: bytes, seconds: float) -> None:
    """For one evaluation, after so many seconds of learning."""
    self._learned += seconds
    self._asked += 1
    self._granted += self.evaluator.ask(policy, self.episodes, self.budget)

  @property
  def share(self) -> float:
    """Of what was asked for, how much was evaluated."""
    return self._granted / max(self._asked, 1)


def main() -> None:
  """Measures in a process of its own, and reports."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=TASKS)
  parser.add_argument(
    '--task', choices=TASKS, default='cartpole-swingup',
    help='what is evaluated (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--rounds', type=int, default=3,
    help='windows of each kind (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--updates', type=int, default=1_000,
    help='updates in a window (default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.updates < INTERVAL or options.rounds < 1:
    parser.error(
      f'--updates {options.updates} --rounds {options.rounds}: there must be '
      f'at least {INTERVAL} updates, for one evaluation, and 1 round.'
    )
  if options.side:
    common.print_json(measure(options.side, options.rounds, options.updates))
  else:
    compare(options.task, options.rounds, options.updates)


def compare(task: str, rounds: int, updates: int) -> None:
  """Reports what a process of its own measured."""
  print(f'measuring {rounds} rounds on {task} ...', file=sys.stderr, flush=True)
  arguments = [f'--rounds={rounds}', f'--updates={updates}']
  result = common.run_side('benchmarks.evaluation', task, arguments)
  del result['wall_seconds']
  lines = {'learner alone': f'{result["alone_updates_per_second"]:.0f}'}
  for name, ratio in result['ratios'].items():
    done = f'{result["evaluated"][name]:.0%} evaluated'
    lines[f'{name} / alone'] = f'{common.goal(ratio, GOAL)}, {done}'
    without = result['ratios_without_wait'][name]
    lines[f'{name} / alone, without the wait'] = f'{without:.2f}'
  for name, rate in result['evaluation_steps_per_second'].items():
    seconds = result['core_seconds_per_evaluation'][name]
    lines[f'{name} by itself'] = (
      f'{rate:,.0f} steps/s, {seconds:.3f} core-seconds for an evaluation'
    )
  lines[f'{INTERVAL} updates'] = (
    f'{result["core_seconds_per_interval"]:.3f} core-seconds'
  )
  result = {'task': task, 'rounds': rounds, 'updates': updates, **result}
  common.report(
    f'Evaluating {task} every {INTERVAL} updates: updates per second',
    lines,
    result,
  )


def measure(task: str, rounds: int, updates: int) -> dict[str, Any]:
  """All windows of all rounds, and then the evaluators alone."""
  start = evaluation_processes.start
  with (
    start(evaluation_processes.run_peer, task) as peer,
    start(evaluation_processes.run_fused, task) as fused,
  ):
    learn, export = _make_learner(task)
    learn(INTERVAL)  # Traces the graph, fills the caches.
    cases = {
      f'{kind}_{episodes}': Case(evaluator, episodes, is_thinned)
      for episodes in (FEW, MANY)
      for kind, evaluator, is_thinned in (
        ('peer', peer, False),
        ('every', fused, False),
        ('fused', fused, True),
      )
    }
    for case in cases.values():
      _by_itself(case, export())
    alone: list[_Rates] = []
    rates: dict[str, list[_Rates]] = {name: [] for name in cases}
    spent = 0.0
    for _ in range(rounds):
      before = time.process_time()
      alone.append(_window(learn, export, updates))
      spent += time.process_time() - before
      for name, case in cases.items():
        rates[name].append(_window(learn, export, updates, case))
    by_itself = {
      name: _by_itself(case, export())
      for name, case in cases.items()
      if case.budget is None
    }
  intervals = rounds * (updates // INTERVAL)
  return {
    'alone_updates_per_second': round(
      statistics.median([r for r, _ in alone]), 1
    ),
    'ratios': _ratios(rates, alone, 1),
    'ratios_without_wait': _ratios(rates, alone, 0),
    'evaluated': {n: round(case.share, 2) for n, case in cases.items()},
    'evaluation_steps_per_second': {n: r for n, (r, _) in by_itself.items()},
    'core_seconds_per_evaluation': {n: s for n, (_, s) in by_itself.items()},
    'core_seconds_per_interval': round(spent / intervals, 3),
  }


def _ratios(
  rates: dict[str, list[_Rates]], alone: list[_Rates], which: int
) -> dict[str, float]:
  return {
    name: round(
      statistics.median(
        one[which] / by_itself[which]
        for one, by_itself in zip(some, alone, strict=True)
      ),
      3,
    )
    for name, some in rates.items()
  }


def _window(
  learn: Callable[[int], Any],
  export: Callable[[], bytes],
  updates: int,
  case: Optional[Case] = None,
) -> _Rates:
  started = time.perf_counter()
  for _ in range(updates // INTERVAL):
    before = time.perf_counter()
    learn(INTERVAL)
    policy = export()  # Alone, too: what is measured is the evaluator.
    if case is not None:
      case.ask(policy, time.perf_counter() - before)
  learned = time.perf_counter()
  if case is not None:
    case.evaluator.wait(case.budget)
  count = updates // INTERVAL * INTERVAL
  return count / (learned - started), count / (time.perf_counter() - started)


def _by_itself(case: Case, policy: bytes) -> tuple[float, float]:
  """Steps per second, and CPU time for one evaluation."""
  evaluator, episodes = case.evaluator, case.episodes
  evaluations = max(2, AT_ONCE // episodes)
  started, before = time.perf_counter(), evaluator.core_seconds()
  for _ in range(evaluations):
    evaluator.ask(policy, episodes)
  evaluator.wait()
  seconds = time.perf_counter() - started
  spent = evaluator.core_seconds() - before
  steps = evaluations * episodes * EPISODE_STEPS
  return round(steps / seconds, 1), round(spent / evaluations, 3)


def _make_learner(
  task: str,
) -> tuple[Callable[[int], Any], Callable[[], bytes]]:
  """Runs so many updates; exports the policy."""
  # Imported here: the evaluators need no TensorFlow.
  from agents import registry
  from agents.config import ObjectiveConfig
  from agents.d4pg.config import D4PGConfig
  from agents.learner import Learner
  from datasets.memory import Memory
  from datasets.types import Episode, EpisodeId
  from launchers.nodes.batches import sampler_for

  config = D4PGConfig(batch_size=_BATCH)
  spec = Environment(task).spec
  random = np.random.default_rng(0)

  def normal(*shape: int) -> np.ndarray:
    return random.standard_normal(shape, dtype=np.float32)

  memory = Memory(config.n_step, config.discount)
  memory.extend(
    Episode(
      EpisodeId('benchmark', 1, 0, i),
      'noise',
      normal(EPISODE_STEPS + 1, spec.observation_size),
      np.tanh(normal(EPISODE_STEPS, spec.action_size)),
      normal(EPISODE_STEPS),
      np.ones(EPISODE_STEPS, np.float32),
    )
    for i in range(_DATA_EPISODES)
  )
  networks = registry.make_networks(config, spec, seed=0)
  agent = registry.make_agent(
    config, networks, ObjectiveConfig('none'), 100_000
  )
  learner = Learner(agent, sampler_for(config, agent, memory, seed=0))
  return learner.run, lambda: networks.export().to_bytes()


if __name__ == '__main__':
  main()
