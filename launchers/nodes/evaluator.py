"""The evaluator: measures policies without noise, many side by side."""

from collections.abc import Callable, Sequence
import functools
import os
import threading
from typing import Any

import numpy as np

from agents.deployed.policy import Policy
from launchers.acting import rollouts
from launchers.acting.behaviours import Behaviour, behaviour_of
from launchers.acting.outcomes import split
from launchers.acting.places import Places
from launchers.hosts.process import WaitForStop
from launchers.nodes import advice
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from teachers.base import Teacher

_PAUSE = 0.2  # Seconds between two questions to the conductor.
_EVALUATED = 32  # Episodes that run side by side, at most.


def run_evaluator(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  services: Sequence[str],
  wait_for_stop: WaitForStop,
) -> None:
  """Measures policies without noise, all of an order side by side."""
  yield_to_others()
  notify = functools.partial(conductor.trouble, 'evaluator')
  load_teacher = functools.partial(
    advice.load, config, directory, 'demonstrator', services, notify,
    wait_for_stop,
  )  # fmt: skip
  places = Places(config.task, config.action_bound)
  places.take(1)  # While the others start, too.
  while not wait_for_stop(0):
    order = conductor.evaluation_order()
    if order is None:
      wait_for_stop(_PAUSE)
      continue
    evaluations = [
      (_evaluated(evaluation, load_teacher), _seeds(config.seed, evaluation))
      for evaluation in order['evaluations']
    ]
    wanted = min(_EVALUATED, sum(len(seeds) for _, seeds in evaluations))
    returns = rollouts.evaluate_all(
      places.take(wanted),
      evaluations,
      config.episode_steps,
      functools.partial(wait_for_stop, 0),
    )
    for evaluation, some in zip(order['evaluations'], returns, strict=True):
      conductor.evaluated(evaluation['key'], *split(some))


def _evaluated(
  evaluation: dict[str, Any], load_teacher: Callable[[], Teacher]
) -> Behaviour:
  if evaluation['key'][0] == 'teacher':
    return behaviour_of(load_teacher())
  return Policy.from_bytes(evaluation['policy'])


def _seeds(
  run: int, evaluation: dict[str, Any]
) -> list[np.random.SeedSequence]:
  kind, _, step = evaluation['key']
  return [
    rollouts.seed_for(run, rollouts.EVALUATE, kind == 'final', step, episode)
    for episode in range(evaluation['episodes'])
  ]


def yield_to_others() -> None:
  """Has this process give way to the others, the learner first.

  A process of niceness 10 gets what time the others leave, and besides a tenth
  of what one of them gets: a cycle ends when its last evaluation is there, so
  beside other runs the evaluator must get a turn, too.
  A thread does not give way: whoever wants the interpreter would wait for it.
  """
  if threading.current_thread() is threading.main_thread():
    os.nice(10)
