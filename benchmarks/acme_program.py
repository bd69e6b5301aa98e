"""Acme's DistributedD4PG as a local Launchpad program, without an evaluator."""

from collections.abc import Mapping
import contextlib
import json
import os
from pathlib import Path
import subprocess
import sys
import time
from typing import Any

from acme.agents.tf.d4pg import DistributedD4PG
import launchpad as lp
import psutil

from benchmarks import common, peers

_LEAST_ITEMS = 1_000  # Acme's default.


def run(
  actor_steps: int, learner_steps: int, directory: Path
) -> dict[str, float]:
  """Runs the program until it has done both counts, then kills it.

  Stopping it in order takes ten seconds or more, which are not counted.

  Args:
    actor_steps: environment steps to do.
    learner_steps: updates to do.
    directory: where Acme and Launchpad may write.

  Returns:
    What the counts were, and the seconds since the command was given.
  """
  result = directory / 'counts.json'
  arguments = [str(actor_steps), str(learner_steps), str(result)]
  command = [sys.executable, '-m', 'benchmarks.acme_program', *arguments]
  variables = {'HOME': str(directory), 'LAUNCHPAD_LOGGING_DIR': str(directory)}
  started = time.time()
  with (directory / 'launcher').open('w') as log:
    launcher = subprocess.Popen(
      command,
      cwd=common.ROOT,
      env={**os.environ, **variables},
      stdin=subprocess.DEVNULL,
      stdout=log,
      stderr=subprocess.STDOUT,
    )
  try:
    while not result.exists():
      if launcher.poll() is not None:
        end = (directory / 'launcher').read_text()[-2000:]
        raise RuntimeError(f"Acme's program ended by itself:\n{end}")
      time.sleep(0.1)
  finally:
    _kill(launcher)
  counts = json.loads(result.read_text())
  counts['wall_seconds'] = counts.pop('time') - started
  return counts


def _kill(launcher: 'subprocess.Popen[bytes]') -> None:
  processes = psutil.Process(launcher.pid).children(recursive=True)
  launcher.kill()
  for process in processes:
    with contextlib.suppress(psutil.NoSuchProcess):
      process.kill()
  launcher.wait()


def launch(actor_steps: int, learner_steps: int, result: str) -> None:
  """Launches the nodes.

  The rate limiter ties the two counts together as Acme does: nothing is sampled
  before `_LEAST_ITEMS` are there, then `samples_per_insert` for each one more.
  The ratio is such that both counts are reached together.
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
  with program.group('watcher'):
    program.add_node(lp.CourierNode(Watcher, counter, limits, result))
  lp.launch(
    program,
    launch_type=lp.LaunchType.LOCAL_MULTI_PROCESSING,
    terminal='output_to_files',
  ).wait()


class Watcher:
  """A node that notes when every count has reached its limit."""

  def __init__(self, counter: Any, limits: Mapping[str, int], result: str):
    self._counter = counter
    self._limits = limits
    self._result = Path(result)

  def run(self) -> None:
    """Asks the counter five times a second."""
    counts: Mapping[str, int] = {}
    while any(counts.get(n, 0) < least for n, least in self._limits.items()):
      time.sleep(0.2)
      counts = self._counter.get_counts()
    reached: dict[str, float] = {n: int(counts[n]) for n in self._limits}
    reached['time'] = time.time()
    aside = self._result.with_suffix('.new')
    aside.write_text(json.dumps(reached))
    aside.replace(self._result)
    lp.wait_for_stop()


if __name__ == '__main__':
  launch(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
