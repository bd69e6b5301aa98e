"""Environments that fail: alone, with a reason, and never before a policy."""

from collections.abc import Sequence
import threading
import time
from typing import Union

import numpy as np
import psutil
import pytest

from launchers.acting import hosted, rollouts
from launchers.acting.hosted import HostedLanes
from launchers.acting.lanes import Place, make_lanes
from launchers.acting.outcomes import (
  ActingStoppedError,
  Failure,
  Rollout,
  split,
)
from launchers.acting.places import Places, describe
from launchers.acting.separate import SeparateLanes
from launchers.environments import registry
from launchers.hosts import heartbeat
from launchers.hosts.early import STOPS
from teachers import untrained

POINT = 'tests.launchers.environments.examples:point'
STEPS = 30
POLICY = untrained.make(3, 1, 0, (8, 8))


def seeds(count: int) -> list[np.random.SeedSequence]:
  return [rollouts.seed_for(0, rollouts.ACT, n) for n in range(count)]


def acted(
  places: Sequence[Place],
  some: Sequence[np.random.SeedSequence],
  behaviour: rollouts.Behaviour = POLICY,
) -> list[Union[Rollout, Failure]]:
  return rollouts.run_episodes(places, behaviour, STEPS, 0.5, some)


def assert_same(one: object, two: object) -> None:
  if isinstance(one, Failure):
    assert one == two
    return
  assert isinstance(one, Rollout)
  assert isinstance(two, Rollout)
  for mine, its in zip(one, two, strict=True):
    np.testing.assert_array_equal(mine, its)


def children() -> set[psutil.Process]:
  return {
    child
    for child in psutil.Process().children()
    if child.name() == 'environments'
  }


@pytest.mark.parametrize(
  ('task', 'reason'),
  [
    (f'{POINT}?raises=0.02', 'RuntimeError: the motor is hot'),
    (f'{POINT}?nan=0.02', 'The reward is nan'),
  ],
)
def test_an_episode_fails_alone_and_anywhere_the_same(
  task: str, reason: str
) -> None:
  """In this process or another one, beside others or not."""
  here = [registry.make(task) for _ in range(8)]
  assert isinstance(make_lanes(here, STEPS), SeparateLanes)
  there = Places(task, None).take(8)
  assert isinstance(make_lanes(there, STEPS), HostedLanes)
  results = acted(here, seeds(8))
  _, reasons = split(results)
  assert 0 < len(reasons) < 8
  for text in reasons:
    assert text.startswith('Its step ')
    assert reason in text
  for one, two in zip(results, acted(there, seeds(8)), strict=True):
    assert_same(one, two)
  for result, seed in zip(results, seeds(8), strict=True):
    assert_same(result, acted(here[:1], [seed])[0])


def test_a_reset_may_fail() -> None:
  for place in (registry.make(f'{POINT}?fault=reset'), *_hosted('reset', 1)):
    (result,) = acted([place], seeds(1))
    assert isinstance(result, Failure)
    assert 'Its reset failed. RuntimeError: no reset today' in result.reason


def _hosted(fault: str, count: int) -> list[Place]:
  return Places(f'{POINT}?fault={fault}', None).take(count)


def test_a_policy_sees_only_what_is_running() -> None:
  """Rows of others are zeros, and never NaN."""
  places = [registry.make(f'{POINT}?nan=0.1&edge=1.2') for _ in range(8)]
  seen = []

  def behaviour(rows: np.ndarray) -> np.ndarray:
    assert rows.shape == (rollouts.LANES, 3)
    assert np.isfinite(rows).all()
    seen.append(rows.any(1).sum())
    return np.ones((len(rows), 1), np.float32)

  results = acted(places, seeds(8), behaviour)
  good, failures = split(results)
  assert good
  assert failures
  assert seen == sorted(seen, reverse=True)
  assert seen[-1] < 8
  for rollout in good:
    assert rollout.observations[-1].any()


def test_a_crash_is_a_failure_with_a_name() -> None:
  results = acted(_hosted('crash', 3), seeds(3))
  for result in results:
    assert isinstance(result, Failure)
    assert 'was killed by SIGSEGV' in result.reason


def test_a_hang_is_a_failure_with_a_name(
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Its process is ended, and the next episode has another."""
  monkeypatch.setenv(heartbeat.SILENCE, '2')
  monkeypatch.setattr(hosted, '_PATIENCE', 4.0)
  places = _hosted('hang', 1)
  for _ in range(2):
    (result,) = acted(places, seeds(1))
    assert isinstance(result, Failure)
    assert "environment's step took more than 8 s" in result.reason
    assert heartbeat.SILENCE in result.reason


def test_a_stop_of_the_whole_group_is_no_failure() -> None:
  """As a terminal's Ctrl-C, or timeout's SIGTERM: its holder hears it, too."""
  places = _hosted('', 1)
  places[0].spec  # noqa: B018  (which starts the process)
  (process,) = children()
  for number in STOPS:
    process.send_signal(number)
  (result,) = acted(places, seeds(1))
  assert isinstance(result, Rollout)
  assert children() == {process}


def test_what_crashes_when_it_is_made_is_refused() -> None:
  with pytest.raises(ValueError, match='ended with exit code 3'):
    describe('os:_exit?status=3')
  with pytest.raises(ValueError, match='has no bounds'):
    describe(f'{POINT}?fault=unbounded')
  assert describe(f'{POINT}?fault=unbounded', 2.0).task.spec == (3, 1)


def test_a_leak_ends_with_the_process() -> None:
  before = children()
  places = Places(f'{POINT}?leak=1000000', None)
  acted(places.take(2), seeds(2))
  (leaky,) = children() - before
  held = leaky.memory_info().rss
  assert held > 20e6
  places.refresh()
  assert not leaky.is_running()
  assert_same(
    acted(places.take(1), seeds(1))[0],
    acted([registry.make(f'{POINT}')], seeds(1))[0],
  )
  (fresh,) = children() - before
  del places
  assert not fresh.is_running()


@pytest.mark.parametrize('hosted', [False, True])
def test_a_slow_environment_stops_at_once(hosted: bool) -> None:
  task = f'{POINT}?delay=0.05'
  places = Places(task, None).take(8) if hosted else [registry.make(task)] * 8
  stop = threading.Event()
  rollouts.run_episodes(places[:1], POLICY, 1, 0.0, seeds(1))
  threading.Timer(1.0, stop.set).start()
  started = time.monotonic()
  with pytest.raises(ActingStoppedError):
    rollouts.run_episodes(places, POLICY, 1_000, 0.0, seeds(8), stop.is_set)
  assert time.monotonic() - started < 2.5
  (result,) = rollouts.run_episodes(places[:1], POLICY, 2, 0.0, seeds(1))
  assert isinstance(result, Rollout)


def test_evaluations_give_the_returns_of_those_that_went_well() -> None:
  places = Places(f'{POINT}?raises=0.05', None).take(8)
  results = rollouts.evaluate(places, POLICY, STEPS, seeds(20))
  returns, failures = split(results)
  assert len(returns) + len(failures) == 20
  assert failures
  assert np.isfinite(returns).all()
