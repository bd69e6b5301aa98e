"""The evaluators of benchmarks.evaluation, each in a process of its own."""

from collections.abc import Callable, Iterator
import contextlib
import multiprocessing
import os
from pathlib import Path
import queue
import time
from typing import Any, Optional
from unittest import mock

from dm_control import suite
import numpy as np
import psutil

from agents.deployed.policy import Policy
from launchers.environments.suite import parse_task
from launchers.hosts.process import SINGLE_THREADED, enter_node
from launchers.nodes import evaluator
from launchers.nodes.evaluation_budget import Budget
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

EPISODE_STEPS = 1_000
AT_ONCE = 8
"""Policies, as the conductor orders them."""


class Evaluator:
  """A process that evaluates what it is sent, as the learner sees it."""

  def __init__(self, process: Any, orders: Any, results: Any):
    self._process = process
    self._orders, self._results = orders, results
    self._number, self._pending = 0, 0

  def ask(
    self, policy: bytes, episodes: int, budget: Optional[Budget] = None
  ) -> bool:
    """Has it evaluated some time, unless that is beyond a budget."""
    self._number += 1
    key = ('interval', 1, self._number)
    while budget and self._pending and not self._results.empty():
      self._take(budget)
    if budget and not budget.grant(key):
      return False
    self._pending += 1
    self._orders.put({'key': key, 'policy': policy, 'episodes': episodes})
    return True

  def wait(self, budget: Optional[Budget] = None) -> None:
    """Until all is evaluated."""
    while self._pending:
      try:
        self._take(budget)
      except queue.Empty:
        if not self._process.is_alive():
          raise RuntimeError(f'An evaluator ended: {self._process}') from None

  def _take(self, budget: Optional[Budget]) -> None:
    key, returns, core_seconds = self._results.get(timeout=1.0)
    assert np.isfinite(returns).all(), returns
    self._pending -= 1
    if budget:
      budget.spend(key, core_seconds)

  def core_seconds(self) -> float:
    """CPU time that it has taken so far."""
    times = psutil.Process(self._process.pid).cpu_times()
    return times.user + times.system


@contextlib.contextmanager
def start(run: Callable[..., None], task: str) -> Iterator[Evaluator]:
  """Starts `run_fused` or `run_peer`; ends it with the context."""
  context = multiprocessing.get_context('spawn')
  orders, results = context.Queue(), context.Queue()
  orders.cancel_join_thread()  # What a dead evaluator left is lost.
  process = context.Process(
    target=run, args=(task, orders, results), daemon=True
  )
  # As the program starts it; the learner keeps its threads.
  with mock.patch.dict(os.environ, SINGLE_THREADED):
    process.start()
  try:
    yield Evaluator(process, orders, results)
  finally:
    process.kill()
    process.join()


def run_fused(task: str, orders: Any, results: Any) -> None:
  """Our evaluator node."""
  enter_node('evaluator')
  config = GrowingBatchConfig(task=task, episode_steps=EPISODE_STEPS)
  conductor = _Conductor(orders, results)
  directory = RunDirectory(Path(os.devnull))  # It is asked for teachers only.
  evaluator.run_evaluator(config, directory, conductor, (), _wait_for_stop)


class _Conductor:
  """What the evaluator asks of the conductor."""

  def __init__(self, orders: Any, results: Any):
    self._orders, self._results = orders, results

  def evaluation_order(self, evaluator: str) -> dict[str, Any]:
    """Those that are waiting, but no more than the conductor gives."""
    evaluations = [self._orders.get()]
    with contextlib.suppress(queue.Empty):
      while len(evaluations) < AT_ONCE:
        evaluations.append(self._orders.get_nowait())
    return {'evaluations': evaluations}

  def trouble(self, node: str, message: Optional[str]) -> None:
    """No teacher is asked, so there is none."""

  def evaluated(
    self,
    key: Any,
    returns: list[float],
    failures: list[str],
    core_seconds: float,
  ) -> None:
    """Tells the learner."""
    assert not failures, failures
    self._results.put((key, returns, core_seconds))


def _wait_for_stop(seconds: float) -> bool:
  time.sleep(seconds)
  return False


def run_peer(task: str, orders: Any, results: Any) -> None:
  """dm_control and a policy, and nothing else of ours."""
  enter_node('peer')
  environment = suite.load(*parse_task(task), task_kwargs={'random': 0})
  while True:
    order = orders.get()
    policy = Policy.from_bytes(order['policy'])
    returns = []
    for _ in range(order['episodes']):
      timestep, total = environment.reset(), 0.0
      for _ in range(EPISODE_STEPS):
        values = timestep.observation.values()
        action = policy(np.concatenate([np.ravel(value) for value in values]))
        timestep = environment.step(action)
        total += timestep.reward
      returns.append(total)
    results.put((order['key'], returns, 0.0))
