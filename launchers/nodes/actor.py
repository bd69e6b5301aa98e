"""An actor: collects what is leased to it, by one fixed policy a cycle.

It asks the conductor what to do and never waits for longer than it takes to
notice a stop.
"""

from collections.abc import Callable, Sequence
import functools
from typing import Any, NamedTuple, Optional

from agents.deployed.policy import Policy
from datasets.types import Episode, EpisodeId
from launchers.acting.behaviours import Behaviour, behaviour_of
from launchers.acting.episodes import act, seed_of
from launchers.acting.outcomes import Failure
from launchers.acting.places import Places
from launchers.acting.rollouts import LANES
from launchers.hosts.process import WaitForStop
from launchers.nodes import advice
from launchers.nodes.leases import Life
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from teachers.base import Teacher

_PAUSE = 0.2  # Seconds between two questions to a conductor that has no order.


class Assignment(NamedTuple):
  """What an actor must know of a run.

  Attributes:
    run: its name.
    seed: of the run.
    task: as after --task.
    action_bound: stands in for bounds that its actions lack.
    episode_steps: where an episode is cut.
  """

  run: str
  seed: int
  task: str
  action_bound: Optional[float]
  episode_steps: int

  @classmethod
  def of(cls, config: GrowingBatchConfig) -> 'Assignment':
    """That of a run."""
    return cls(
      config.run_name, config.seed, config.task, config.action_bound,
      config.episode_steps,
    )  # fmt: skip


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
  """The node: acts what it is told to, and sends each episode whole."""
  name = f'actor/{actor}'
  notify = functools.partial(conductor.trouble, name)
  load = functools.partial(
    advice.load, config, directory, 'demonstrator', services, notify,
    wait_for_stop,
  )  # fmt: skip
  from datasets import replay  # TensorFlow's, which other hosts do without.

  writer = replay.EpisodeWriter(replay_address, 'collected', incarnation)
  assignment = Assignment.of(config)
  places = Places(config.task, config.action_bound)
  places.take(LANES)  # While the others start, too.
  Actor(
    name, assignment, places, conductor, load, writer.write, wait_for_stop
  ).run()


class Actor:
  """Acts episodes by order of a conductor, wherever that is."""

  def __init__(
    self,
    name: str,
    assignment: Assignment,
    places: Places,
    conductor: Any,
    load_demonstrator: Callable[[], Teacher],
    deliver: Callable[[Episode], None],
    wait_for_stop: WaitForStop,
  ):
    """Acts nothing yet.

    Args:
      name: unlike all others'.
      assignment: of the run.
      places: of its task.
      conductor: its orders (`Collecting.act_order`, `alive`, `policy`,
        `refused`).
      load_demonstrator: gives who acts in cycle 0; called when it is needed.
      deliver: hands on an episode; when it returns, that is not lost any more.
      wait_for_stop: waits that many seconds; whether the program stops.
    """
    self._name = name
    self._assignment = assignment
    self._places = places
    self._conductor = conductor
    self._load_demonstrator = load_demonstrator
    self._deliver = deliver
    self._wait_for_stop = wait_for_stop
    # Of one cycle: what acts, its digest, who demonstrates.
    self._behaviours: dict[int, tuple[Behaviour, str, Any]] = {}
    self._is_stopping = Life(name, conductor.alive, wait_for_stop)

  def run(self) -> None:
    """Acts until the program stops.

    Raises:
      ActingStoppedError: it stopped amid episodes.
    """
    while not self._wait_for_stop(0):
      order = self._conductor.act_order(self._name, LANES)
      if order is None:
        self._wait_for_stop(_PAUSE)
      else:
        self._act(order['cycle'], order['episodes'], order['noise'])

  def _act(
    self, cycle: int, due: Sequence[tuple[int, int]], noise: float
  ) -> None:
    """Acts (episode, attempt) pairs side by side."""
    behaviour, digest, demonstrator = self._behaviour(cycle)
    run, seed, _, _, steps = self._assignment
    identities = [EpisodeId(run, cycle, 0, episode) for episode, _ in due]
    orders = [
      (identity, seed_of(seed, identity, attempt))
      for identity, (_, attempt) in zip(identities, due, strict=True)
    ]
    episodes = act(
      self._places.take(len(due)), behaviour, orders, steps, noise, digest,
      demonstrator, self._is_stopping,
    )  # fmt: skip
    for identity, (_, attempt), episode in zip(
      identities, due, episodes, strict=True
    ):
      if isinstance(episode, Failure):
        print(f'Failed {identity}: {episode.reason}', flush=True)
        self._conductor.refused(tuple(identity), episode.reason, attempt)
      else:
        self._deliver(episode)

  def _behaviour(self, cycle: int) -> tuple[Behaviour, str, Any]:
    if cycle not in self._behaviours:
      self._places.refresh()
      if cycle == 0:
        teacher = self._load_demonstrator()
        names = (teacher.name, teacher.version)
        self._behaviours = {0: (behaviour_of(teacher), teacher.version, names)}
      else:
        policy = Policy.from_bytes(self._conductor.policy(cycle))
        self._behaviours = {cycle: (policy, policy.digest, None)}
    return self._behaviours[cycle]
