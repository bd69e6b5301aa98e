"""A cycle that is collected by many hosts: a discrete-event simulation.

Each worker asks for an order, acts its episodes side by side, and asks again,
while it brings what it has, one after another: through the link, past the
gateway's processor, to the disk. What is not a worker is one queue each, first
come, first served, of a fixed time an episode.
"""

import dataclasses
import heapq
import itertools
import math
from typing import NamedTuple

from datasets import bounds

LANES = 8
"""Episodes that a worker is given at a time: `launchers.acting.rollouts`'."""

EPISODE_STEPS = 1_000


@dataclasses.dataclass(frozen=True)
class Costs:
  """Service times, by the names that `benchmarks.hosts` prints them under.

  The defaults are round figures of one core; give what it has measured. The
  sizes are those of cheetah-run. Link, round trip and workers are assumptions.

  Attributes:
    worker_steps_per_second: of one worker process.
    gateway_cpu_ms: of the gateway's and the curator's process, an episode.
    commit_ms: until an episode is durable, by itself.
    orders_per_second: that the gateway gives out.
    episode_bytes: of an episode, as it is brought.
    policy_bytes: of the policy, which each worker gets once a cycle.
    bandwidth: of the gateway's link, in Mbit/s, each way.
    round_trip_ms: between a worker and the gateway.
    workers: processes of one host.
  """

  worker_steps_per_second: float = 30_000.0
  gateway_cpu_ms: float = 1.0
  commit_ms: float = 1.0
  orders_per_second: float = 500.0
  episode_bytes: int = 102_000
  policy_bytes: int = 550_000
  bandwidth: float = 1_000.0
  round_trip_ms: float = 0.5
  workers: int = 2

  def __post_init__(self) -> None:
    """Refuses what nothing costs."""
    bounds.check(
      self,
      worker_steps_per_second=(1e-6, 1e9), gateway_cpu_ms=(1e-6, 1e6),
      commit_ms=(1e-6, 1e6), orders_per_second=(1e-6, 1e9),
      episode_bytes=(1, 1 << 40), policy_bytes=(0, 1 << 40),
      bandwidth=(1e-6, 1e9), round_trip_ms=(0, 1e6), workers=(1, 1_024),
    )  # fmt: skip

  @property
  def acting_seconds(self) -> float:
    """Of one worker, an episode."""
    return EPISODE_STEPS / self.worker_steps_per_second

  @property
  def bytes_per_second(self) -> float:
    """Of the link."""
    return self.bandwidth * 1e6 / 8

  def capacities(self, hosts: int) -> dict[str, float]:
    """Episodes a second that each part allows, were it the only one."""
    return {
      'workers': hosts * self.workers / self.acting_seconds,
      'link': self.bytes_per_second / self.episode_bytes,
      'gateway': 1e3 / self.gateway_cpu_ms,
      'disk': 1e3 / self.commit_ms,
      'orders': self.orders_per_second * LANES,
    }


class Outcome(NamedTuple):
  """What a simulated cycle came to.

  Attributes:
    hosts: that acted.
    episodes: that are durable.
    seconds: from the cycle's beginning to the last of them.
    busy: how much of that time each part was at work; of the workers all
      together; 'policies' is the link's other way.
    waiting: episodes that workers kept at most, all together.
  """

  hosts: int
  episodes: int
  seconds: float
  busy: dict[str, float]
  waiting: int

  @property
  def rate(self) -> float:
    """Episodes a second."""
    return self.episodes / self.seconds

  @property
  def bottleneck(self) -> str:
    """The part that has least to spare."""
    return max(self.busy, key=lambda part: self.busy[part])


class _Queue:
  """One server, first come, first served: asked in the order of time."""

  def __init__(self, seconds: float):
    self._seconds = seconds
    self._free = 0.0
    self.busy = 0.0

  def serve(self, now: float) -> float:
    """When who comes now is done."""
    self._free = max(now, self._free) + self._seconds
    self.busy += self._seconds
    return self._free


class Simulation:
  """One cycle; `run` gives what it comes to."""

  def __init__(self, costs: Costs, hosts: int, episodes: int):
    """Begins with workers that know nothing.

    Args:
      costs: of everything.
      hosts: of workers.
      episodes: that the cycle takes.

    Raises:
      ValueError: there are no hosts, or no episodes.
    """
    if hosts < 1 or episodes < 1:
      raise ValueError(
        f'{hosts} hosts act {episodes} episodes; simulate at least 1 of each.'
      )
    self._costs, self._hosts, self._episodes = costs, hosts, episodes
    self._workers = hosts * costs.workers
    self._queues = {
      'link': _Queue(costs.episode_bytes / costs.bytes_per_second),
      'gateway': _Queue(costs.gateway_cpu_ms / 1e3),
      'disk': _Queue(costs.commit_ms / 1e3),
      'orders': _Queue(1 / costs.orders_per_second),
      'policies': _Queue(costs.policy_bytes / costs.bytes_per_second),
    }
    self._left = episodes  # That nobody was given yet.
    self._durable = 0
    self._acting = 0.0  # Seconds of all workers.
    self._kept = [0] * self._workers  # Episodes that each has yet to bring.
    self._waiting = self._most_waiting = 0
    self._events: list[tuple[float, int, str, int, int]] = []
    self._numbers = itertools.count()  # Of two at one time the first counts.

  def run(self) -> Outcome:
    """Simulates until all is durable."""
    for worker in range(self._workers):
      self._at(self._queues['policies'].serve(0.0), 'ask', worker)
    now = 0.0
    while self._durable < self._episodes:
      now, _, event, worker, count = heapq.heappop(self._events)
      getattr(self, f'_{event}')(now, worker, count)
    busy = {name: queue.busy / now for name, queue in self._queues.items()}
    busy['workers'] = self._acting / self._workers / now
    return Outcome(self._hosts, self._durable, now, busy, self._most_waiting)

  def _at(self, time: float, event: str, worker: int, count: int = 0) -> None:
    item = (time, next(self._numbers), event, worker, count)
    heapq.heappush(self._events, item)

  def _ask(self, now: float, worker: int, _: int) -> None:
    count = min(LANES, math.ceil(self._left / self._workers))
    if not count:
      return
    self._left -= count
    seconds = count * self._costs.acting_seconds
    self._acting += seconds
    ordered = self._queues['orders'].serve(now) + self._travel
    self._at(ordered + seconds, 'acted', worker, count)

  def _acted(self, now: float, worker: int, count: int) -> None:
    self._waiting += count
    self._most_waiting = max(self._most_waiting, self._waiting)
    if not self._kept[worker]:
      self._at(now, 'bring', worker)
    self._kept[worker] += count
    self._at(now + self._travel, 'ask', worker)

  def _bring(self, now: float, worker: int, _: int) -> None:
    self._at(self._queues['link'].serve(now) + self._travel, 'come', worker)

  def _come(self, now: float, worker: int, _: int) -> None:
    self._at(self._queues['gateway'].serve(now), 'checked', worker)

  def _checked(self, now: float, worker: int, _: int) -> None:
    self._at(self._queues['disk'].serve(now), 'committed', worker)

  def _committed(self, now: float, worker: int, _: int) -> None:
    self._durable += 1
    self._waiting -= 1
    self._kept[worker] -= 1
    if self._kept[worker]:
      self._at(now + self._travel, 'bring', worker)

  @property
  def _travel(self) -> float:
    """Seconds one way."""
    return self._costs.round_trip_ms / 2e3
