"""Acme's DistributedD4PG as a local Launchpad program, without an evaluator."""

from collections.abc import Mapping
import json
from pathlib import Path
import time
from typing import Any

from acme.agents.tf.d4pg import DistributedD4PG
import launchpad as lp

from benchmarks import peers

_LEAST_ITEMS = 1_000  # Acme's default.


def run(actor_steps: int, learner_steps: int) -> dict[str, Any]:
  """Runs it until both counts are reached.

  The rate limiter ties the two counts together as Acme does: nothing is sampled
  before `_LEAST_ITEMS` are there, then `samples_per_insert` for each one more.
  The ratio is such that both counts are reached together.

  Returns:
    What the counts were then, and the time of day: stopping takes Acme another
    ten seconds, which are not counted.
  """
  agent = DistributedD4PG(
    environment_factory=peers.make_environment,
    network_factory=peers.make_networks,
    batch_size=256,
    min_replay_size=_LEAST_ITEMS,
    samples_per_insert=learner_steps * 256 / (actor_steps - _LEAST_ITEMS),
    n_step=5,
    sigma=0.3,
    discount=0.99,
    target_update_period=100,
  )
  result = Path.home() / 'counts.json'
  program = lp.Program('d4pg')
  with program.group('replay'):
    replay = program.add_node(lp.ReverbNode(agent.replay))
  with program.group('counter'):
    counter = program.add_node(lp.CourierNode(agent.counter))
  with program.group('learner'):
    learner = program.add_node(lp.CourierNode(agent.learner, replay, counter))
  with program.group('actor'):
    program.add_node(lp.CourierNode(agent.actor, replay, learner, counter))
  limits = {'actor_steps': actor_steps, 'learner_steps': learner_steps}
  with program.group('limiter'):
    program.add_node(lp.CourierNode(Limiter, counter, limits, str(result)))
  lp.launch(
    program,
    launch_type=lp.LaunchType.LOCAL_MULTI_PROCESSING,
    terminal='output_to_files',
  ).wait()
  return json.loads(result.read_text())


class Limiter:
  """A node that stops the program when every count has reached its limit."""

  def __init__(self, counter: Any, limits: Mapping[str, int], result: str):
    self._counter = counter
    self._limits = limits
    self._result = Path(result)

  def run(self) -> None:
    """Asks the counter five times a second."""
    while True:
      counts = self._counter.get_counts()
      if all(counts.get(n, 0) >= least for n, least in self._limits.items()):
        break
      time.sleep(0.2)
    reached: dict[str, float] = {
      name: int(counts[name]) for name in self._limits
    }
    reached['time'] = time.time()
    self._result.write_text(json.dumps(reached))
    lp.stop()
