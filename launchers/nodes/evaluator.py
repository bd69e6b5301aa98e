"""The evaluator: measures policies without noise, many side by side."""

from collections.abc import Callable, Sequence
import functools
import os
import threading
import time
from typing import Any

import numpy as np

from agents.deployed.policy import Policy
from launchers.acting import rollouts
from launchers.acting.behaviours import Behaviour, behaviour_of
from launchers.acting.outcomes import IsStopping, split
from launchers.acting.places import Places
from launchers.environments import names
from launchers.hosts.process import WaitForStop
from launchers.nodes import advice
from launchers.nodes.actor import Assignment
from launchers.nodes.leases import OWN_EVALUATOR
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
  name = OWN_EVALUATOR
  notify = functools.partial(conductor.trouble, name)
  load_teacher = functools.partial(
    advice.load, config, directory, 'demonstrator', services, notify,
    wait_for_stop,
  )  # fmt: skip
  places = Places(config.task, config.action_bound)
  places.take(1)  # While the others start, too.
  # An environment in a process of its own computes while this one waits for it.
  Evaluator(
    name, Assignment.of(config), places, conductor, load_teacher, wait_for_stop,
    functools.partial(wait_for_stop, 0),
  ).run()  # fmt: skip


class Evaluator:
  """Measures policies by order of a conductor, wherever that is."""

  def __init__(
    self,
    name: str,
    assignment: Assignment,
    places: Places,
    conductor: Any,
    load_teacher: Callable[[], Teacher],
    wait_for_stop: WaitForStop,
    is_stopping: IsStopping,
  ):
    """Measures nothing yet.

    Args:
      name: unlike all others'.
      assignment: of the run.
      places: of its task.
      conductor: its orders (`Conductor.evaluation_order`, `evaluated`).
      load_teacher: gives the demonstrator, when it is to be measured.
      wait_for_stop: waits that many seconds; whether the program stops.
      is_stopping: that, asked amid episodes.
    """
    self._name = name
    self._assignment = assignment
    self._places = places
    self._conductor = conductor
    self._load_teacher = load_teacher
    self._wait_for_stop = wait_for_stop
    self._is_stopping = is_stopping
    # An environment in a process of its own computes while this one waits.
    is_foreign = names.is_foreign(assignment.task)
    self._clock = time.monotonic if is_foreign else time.thread_time

  def run(self) -> None:
    """Measures until the program stops.

    Raises:
      ActingStoppedError: it stopped amid episodes.
    """
    while not self._wait_for_stop(0):
      order = self._conductor.evaluation_order(self._name)
      if order is None:
        self._wait_for_stop(_PAUSE)
      else:
        self._measure(order['evaluations'])

  def _measure(self, wanted: Sequence[dict[str, Any]]) -> None:
    """Runs all episodes of some evaluations side by side."""
    seed = self._assignment.seed
    blocks = [(self._behaviour(one), _seeds(seed, one)) for one in wanted]
    episodes = min(_EVALUATED, sum(len(seeds) for _, seeds in blocks))
    before = self._clock()
    returns = rollouts.evaluate_all(
      self._places.take(episodes),
      blocks,
      self._assignment.episode_steps,
      self._is_stopping,
    )
    each = (self._clock() - before) / len(wanted)
    for evaluation, some in zip(wanted, returns, strict=True):
      self._conductor.evaluated(evaluation['key'], *split(some), each)

  def _behaviour(self, evaluation: dict[str, Any]) -> Behaviour:
    if evaluation['key'][0] == 'teacher':
      return behaviour_of(self._load_teacher())
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
