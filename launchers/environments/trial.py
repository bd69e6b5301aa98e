"""Some episodes of an environment, acted at random, to be judged afterwards."""

from collections.abc import Iterator, Sequence
import ctypes
import functools
import gc
import itertools
import os
from pathlib import Path
import statistics
import time
from typing import NamedTuple, Optional

import numpy as np

from launchers.environments import registry
from launchers.environments.base import Environment, check_finite

_EPISODES = 5  # Of as many seeds.
_MORE = 10  # Acted at most to see whether a growth goes on.
_LEAK = 1_000.0  # Bytes a step that a process may gain by.
_NOISE = 4 << 20  # Bytes that it may gain for reasons of its own.
_PAGE = os.sysconf('SC_PAGE_SIZE')


class Trace(NamedTuple):
  """What came of one episode.

  Attributes:
    seed: of the episode.
    observations: [T + 1, S] float32, as far as it went.
    rewards: [T].
    discounts: [T].
    last: whether it ended by itself.
    error: what ended it otherwise, if anything did.
    seconds: that its steps took.
    memory: bytes that the process held after it.
  """

  seed: int
  observations: np.ndarray
  rewards: np.ndarray
  discounts: np.ndarray
  last: bool
  error: Optional[Exception]
  seconds: float
  memory: int

  @property
  def num_steps(self) -> int:
    """Steps that went well."""
    return len(self.rewards)

  def equals(self, other: 'Trace') -> bool:
    """Whether they are the same, bit for bit, as far as both go."""
    steps = min(self.num_steps, other.num_steps)
    mine, its = self.observations[: steps + 1], other.observations[: steps + 1]
    return np.array_equal(mine, its, equal_nan=True) and np.array_equal(
      self.rewards[:steps], other.rewards[:steps], equal_nan=True
    )


class Growth(NamedTuple):
  """What a process gained by some episodes.

  Attributes:
    gained: bytes, without what a single episode adds.
    num_steps: of these episodes.
  """

  gained: float
  num_steps: int

  @classmethod
  def of(cls, traces: Sequence[Trace]) -> 'Growth':
    """From the first one's end to the last one's."""
    # The median leaves out what somebody else in this process allocates.
    rates = [
      (late.memory - early.memory) / max(late.num_steps, 1)
      for early, late in itertools.pairwise(traces)
    ]
    steps = sum(trace.num_steps for trace in traces[1:])
    return cls(steps * statistics.median(rates), steps)

  @property
  def is_leak(self) -> bool:
    """Whether it is more than a process may gain."""
    return self.gained >= max(_NOISE, self.num_steps * _LEAK)


class Trial:
  """Episodes of one environment.

  Attributes:
    environment: the one that acts most of them.
    traces: of seeds 0, 1, ..., one after the other in that environment.
    again: seed 0 once more, after them.
    growth: of the process, over the last episodes.
    fresh: seed 0 in another environment.
    beside: seed 0 in that one, by turns with a third one.
  """

  def __init__(
    self,
    task: str,
    action_bound: Optional[float] = None,
    steps: int = 200,
    seconds: float = 10.0,
  ):
    """Acts them.

    Args:
      task: what a person writes after --task.
      action_bound: stands in for bounds that its actions lack.
      steps: where an episode is cut.
      seconds: after which it is cut earlier.

    Raises:
      ValueError: there is no such environment, or none can learn in it.
    """
    make = functools.partial(registry.make, task, action_bound)
    self._steps, self._seconds = steps, seconds
    self.environment, other, third = make(), make(), make()
    self.traces = [
      self._act([self.environment], [seed]) for seed in range(_EPISODES)
    ]
    self.again = self._act([self.environment], [0])
    self.growth = self._settle()
    self.fresh = self._act([other], [0])
    self.beside = self._act([other, third], [0, 1])
    self.other_task = other.task
    for environment in (self.environment, other, third):
      environment.close()

  def _settle(self) -> Growth:
    """Acts on while the process grows: a warm-up ends, a leak does not."""
    traces = [*self.traces, self.again]
    growth = Growth.of(traces[-_EPISODES:])
    for _ in range(_MORE):
      if not growth.is_leak:
        break
      traces.append(self._act([self.environment], [0]))
      growth = Growth.of(traces[-_EPISODES:])
    return growth

  def _act(self, environments: list[Environment], seeds: list[int]) -> Trace:
    """Acts episodes by turns; the first one's trace."""
    episodes = [
      self._episode(environment, seed)
      for environment, seed in zip(environments, seeds, strict=True)
    ]
    trace: Optional[Trace] = None
    while trace is None:
      trace, *_ = [next(episode, None) for episode in episodes]
    return trace

  def _episode(
    self, environment: Environment, seed: int
  ) -> Iterator[Optional[Trace]]:
    """Yields None after each step, and the trace when it is over."""
    width, size = environment.spec
    observations = np.zeros((self._steps + 1, width), np.float32)
    outcomes: list[tuple[float, float]] = []
    actions = _actions(seed, self._steps, size)
    started, last, error = time.monotonic(), False, None
    try:
      environment.reset(seed, observations[0])
      check_finite(0.0, observations[0])
      for step, action in enumerate(actions):
        yield None
        observation = observations[step + 1]
        reward, discount, last = environment.step(action, observation)
        outcomes.append((reward, discount))
        check_finite(reward, observation)
        if last or time.monotonic() - started > self._seconds:
          break
    except Exception as raised:  # Anyone's code; it is what a trial looks for.
      error = raised
    rewards, discounts = np.array(outcomes, np.float64).reshape(-1, 2).T
    yield Trace(
      seed,
      observations[: len(outcomes) + 1],
      rewards,
      discounts,
      last,
      error,
      time.monotonic() - started,
      memory(),
    )


def _actions(seed: int, steps: int, size: int) -> np.ndarray:
  """Random ones, and every fourth at its bounds: [T, A] float32."""
  random = np.random.default_rng(seed)
  actions = random.uniform(-1, 1, (steps, size))
  actions[::4] = np.sign(actions[::4])
  return actions.astype(np.float32)


def memory() -> int:
  """Bytes that this process holds, without what is only not yet given back.

  A heap with free room takes what leaks without growing: the room goes first.
  """
  gc.collect()
  ctypes.CDLL(None).malloc_trim(0)
  return int(Path('/proc/self/statm').read_text().split()[1]) * _PAGE
