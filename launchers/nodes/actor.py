"""An actor: collects its episodes of each cycle, by one fixed policy a cycle.

It asks the conductor what to do and never waits for longer than it takes to
notice a stop.
"""

from collections.abc import Sequence
import functools
from typing import Any

from agents.deployed.policy import Policy
from datasets import replay
from datasets.types import EpisodeId
from launchers.acting.behaviours import behaviour_of
from launchers.acting.episodes import act, seed_of
from launchers.acting.outcomes import Failure
from launchers.acting.places import Places
from launchers.acting.rollouts import LANES
from launchers.hosts.process import WaitForStop
from launchers.nodes import advice
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

_PAUSE = 0.2  # Seconds between two questions to the conductor.


def run_actor(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  replay_address: str,
  incarnation: str,
  services: Sequence[str],
  actor: int,
  wait_for_stop: WaitForStop,
) -> None:
  """Collects the episodes of `actor`, cycle by cycle, and sends them whole."""
  notify = functools.partial(conductor.trouble, f'actor/{actor}')
  places = Places(config.task, config.action_bound)
  places.take(LANES)  # While the others start, too.
  is_stopping = functools.partial(wait_for_stop, 0)
  writer = replay.EpisodeWriter(replay_address, 'collected', incarnation)
  # Of this cycle alone: what acts, its digest, who demonstrates.
  behaviours: dict[int, tuple[Any, ...]] = {}
  sent: set[tuple[int, int, int]] = set()
  while not wait_for_stop(_PAUSE):
    order = conductor.act_order(actor)
    if order is None:
      continue
    cycle = order['cycle']
    if cycle not in behaviours:
      places.refresh()
      if cycle == 0:
        teacher = advice.load(
          config, directory, 'demonstrator', services, notify, wait_for_stop
        )
        names = (teacher.name, teacher.version)
        behaviours = {0: (behaviour_of(teacher), teacher.version, names)}
      else:
        policy = Policy.from_bytes(conductor.policy(cycle))
        behaviours = {cycle: (policy, policy.digest, None)}
    due = [
      (EpisodeId(config.run_name, cycle, actor, episode), attempt)
      for episode, attempt in order['episodes']
      if (cycle, episode, attempt) not in sent
    ]
    noise = config.noise_in(cycle)
    for first in range(0, len(due), LANES):
      some = due[first : first + LANES]
      behaviour, digest, demonstrator = behaviours[cycle]
      orders = [(i, seed_of(config.seed, i, attempt)) for i, attempt in some]
      episodes = act(
        places.take(len(some)), behaviour, orders, config.episode_steps, noise,
        digest, demonstrator, is_stopping,
      )  # fmt: skip
      for (identity, attempt), episode in zip(some, episodes, strict=True):
        if isinstance(episode, Failure):
          print(f'Failed {identity}: {episode.reason}', flush=True)
          conductor.refused(tuple(identity), episode.reason, attempt)
        else:
          writer.write(episode)
      sent.update((cycle, i.episode, attempt) for i, attempt in some)
      if is_stopping():
        return
