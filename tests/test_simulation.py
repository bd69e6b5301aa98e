"""What a simulated cycle must come to where arithmetic says it."""

import dataclasses

import pytest

from benchmarks import simulation
from benchmarks.simulation_events import LANES, Costs, Simulation

# A worker acts ten episodes a second; everything else is fast.
QUICK = Costs(
  worker_steps_per_second=10_000, gateway_cpu_ms=0.01, commit_ms=0.01,
  orders_per_second=1e5, policy_bytes=0, bandwidth=1e5, round_trip_ms=0,
  workers=1, episode_bytes=100_000,
)  # fmt: skip


def run(costs: Costs, hosts: int, episodes: int = 80):
  return Simulation(costs, hosts, hosts * costs.workers * episodes).run()


def test_one_worker_takes_as_long_as_it_acts():
  outcome = run(QUICK, 1, episodes=80)
  assert outcome.seconds == pytest.approx(8.0, rel=0.001)
  assert outcome.bottleneck == 'workers'


@pytest.mark.parametrize('hosts', [1, 2, 4, 8, 16, 32])
def test_few_hosts_are_so_many_times_one(hosts):
  outcome = run(QUICK, hosts)
  assert simulation.efficiency(QUICK, outcome) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
  ('part', 'change', 'rate'),
  [
    ('link', {'bandwidth': 20.0}, 25),  # 100 kB, of 2.5 MB/s.
    ('gateway', {'gateway_cpu_ms': 40.0}, 25),
    ('disk', {'commit_ms': 40.0}, 25),
    ('orders', {'orders_per_second': 25 / LANES}, 25),
  ],
)
def test_many_hosts_are_as_fast_as_the_slowest_part(part, change, rate):
  """A queue of a fixed time an episode that is never empty (M/D/1, full)."""
  costs = dataclasses.replace(QUICK, **change)
  outcome = run(costs, 64, episodes=400)
  assert outcome.bottleneck == part
  able = costs.capacities(64)
  assert min(able, key=lambda name: able[name]) == part
  assert able[part] == pytest.approx(rate)
  # The last orders are of fewer episodes than eight.
  assert outcome.rate == pytest.approx(rate, rel=0.04)
  assert outcome.busy[part] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize('hosts', [1, 3, 17])
@pytest.mark.parametrize('episodes', [1, 7, 100])
def test_no_episode_is_lost_or_counted_twice(hosts, episodes):
  outcome = Simulation(Costs(), hosts, episodes).run()
  assert outcome.episodes == episodes
  workers = hosts * Costs().workers
  acted = outcome.busy['workers'] * workers * outcome.seconds
  assert acted == pytest.approx(episodes * Costs().acting_seconds)
  brought = outcome.busy['disk'] * outcome.seconds
  assert brought == pytest.approx(episodes * Costs().commit_ms / 1e3)


def test_work_waits_at_the_workers_while_something_is_full():
  costs = dataclasses.replace(QUICK, commit_ms=1_000.0)
  outcome = run(costs, 4, episodes=80)
  # They act for 8 s, in which 8 of 320 become durable, but for the first order.
  assert 300 <= outcome.waiting <= 320


def test_who_has_no_policy_yet_does_not_act():
  """It comes after 1 s; eight episodes take 0.8 s, and 8 ms each to come."""
  costs = dataclasses.replace(QUICK, policy_bytes=12_500_000, bandwidth=100.0)
  outcome = run(costs, 1, episodes=8)
  assert outcome.seconds == pytest.approx(1.8 + 8 * 0.008, abs=0.001)
  # Four come after 1, 2, 3 and 4 s, and act for 32 s all together.
  outcome = run(costs, 4, episodes=80)
  assert outcome.busy['policies'] * outcome.seconds == pytest.approx(4)
  assert outcome.seconds == pytest.approx((32 + 1 + 2 + 3 + 4) / 4, abs=0.1)


def test_what_it_would_take_is_what_is_missing():
  costs = dataclasses.replace(QUICK, gateway_cpu_ms=40.0)
  assert simulation.takes(costs, 10)['gateway'] == pytest.approx(100 / 25)


def test_costs_of_nothing_are_refused():
  with pytest.raises(ValueError, match='commit_ms is 0'):
    Costs(commit_ms=0.0)


@pytest.mark.parametrize(('hosts', 'episodes'), [(0, 1), (1, 0)])
def test_nothing_is_not_simulated(hosts, episodes):
  with pytest.raises(ValueError, match='at least 1 of each'):
    Simulation(QUICK, hosts, episodes)


def test_the_figure_is_drawn(tmp_path):
  outcomes = [run(QUICK, hosts, episodes=8) for hosts in simulation.HOSTS]
  simulation.draw(QUICK, outcomes, tmp_path / 'hosts.png')
  assert (tmp_path / 'hosts.png').read_bytes().startswith(b'\x89PNG')
