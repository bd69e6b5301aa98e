"""A stop amid episodes of a slow task: within seconds, whatever acts."""

from collections.abc import Callable
import functools
import time

import numpy as np
import pytest

from launchers.acting import rollouts
from launchers.acting.lanes import FusedLanes, make_lanes
from launchers.acting.outcomes import ActingStoppedError
from launchers.acting.separate import SeparateLanes
from launchers.environments import suite
from teachers import untrained

STEP = 0.02  # Seconds; an episode of 1,000 steps of 8 lanes takes 160.
WITHIN = 3.0


class Clock:
  """Says stop when some time has passed."""

  def __init__(self, seconds: float = 0.5):
    self._deadline = time.monotonic() + seconds

  def __call__(self) -> bool:
    return time.monotonic() > self._deadline

  @property
  def late(self) -> float:
    return time.monotonic() - self._deadline


def slow(function: Callable[..., object]) -> Callable[..., object]:
  def wrapped(*args: object, **kwargs: object) -> object:
    time.sleep(STEP)
    return function(*args, **kwargs)

  return wrapped


def run(kind: str, places: list[suite.Environment], clock: Clock) -> None:
  behaviour = untrained.make(*places[0].spec, 0, (8, 8))
  count = len(places)
  seeds = [rollouts.seed_for(0, rollouts.ACT, n) for n in range(count)]
  act = functools.partial(
    rollouts.run_episodes, places, behaviour, 1_000, 0.1, seeds, clock
  )
  evaluate = functools.partial(
    rollouts.evaluate_all, places, [(behaviour, seeds)], 1_000, clock
  )
  with pytest.raises(ActingStoppedError):
    (act if kind == 'act' else evaluate)()
  assert clock.late < WITHIN


@pytest.mark.parametrize(
  ('task', 'lanes', 'method'),
  [
    ('cheetah-run', FusedLanes, '_advance'),
    ('hopper-hop', SeparateLanes, 'step'),
  ],
)
@pytest.mark.parametrize(('kind', 'count'), [('act', 8), ('evaluate', 32)])
def test_a_stop_amid_slow_steps(
  monkeypatch: pytest.MonkeyPatch,
  task: str,
  lanes: type,
  method: str,
  kind: str,
  count: int,
) -> None:
  places = [suite.Environment(task) for _ in range(count)]
  assert isinstance(make_lanes(places, 10), lanes)
  owner = FusedLanes if lanes is FusedLanes else suite.Environment
  monkeypatch.setattr(owner, method, slow(getattr(owner, method)))
  run(kind, places, Clock())


@pytest.mark.parametrize('task', ['cheetah-run', 'hopper-hop'])
def test_a_stop_amid_slow_resets(
  monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
  places = [suite.Environment(task) for _ in range(32)]

  def reset(self: suite.Environment, seed: int, row: np.ndarray) -> None:
    time.sleep(1.0)

  monkeypatch.setattr(suite.Environment, 'reset', reset)
  run('evaluate', places, Clock())
