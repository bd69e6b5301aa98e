"""Nodes of the program, in processes of their own, without the rest of it."""

from collections.abc import Iterator, Sequence
import contextlib
import itertools
import multiprocessing
from multiprocessing.managers import BaseManager
import os
from pathlib import Path
import secrets
import tempfile
import time
from typing import Any, NamedTuple

import numpy as np
import portpicker

from agents.deployed.policy import Policy
from launchers.hosts.process import SINGLE_THREADED
from launchers.nodes import actor, curator, replay, tasks
from launchers.nodes.conductor import Conductor
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.launch_config import GatewayOptions
from launchers.runs.run_directory import RunDirectory

EPISODE_STEPS = 1_000


class _Manager(BaseManager):
  """Serves the conductor on a UNIX socket, in a process of its own."""


_Manager.register('Conductor', Conductor)


class Nodes(NamedTuple):
  """What runs.

  Attributes:
    config: of the run, whose cycle 1 is collected.
    policy: that acts in it.
    conductor: of the run.
    processes: the nodes'.
  """

  config: GrowingBatchConfig
  policy: Policy
  conductor: Any
  processes: Sequence[Any]

  def wait(self, episodes: int) -> None:
    """Waits until so many episodes are durable.

    Raises:
      RuntimeError: a node ended.
    """
    while self.conductor.status()['collected'].get(1, (0, 0))[0] < episodes:
      dead = [process for process in self.processes if not process.is_alive()]
      if dead:
        raise RuntimeError(f'A node ended: {dead}')
      time.sleep(0.02)


@contextlib.contextmanager
def running(
  episodes: int,
  names: Sequence[str] = ('replay', 'curator', 'actor'),
  gateway: GatewayOptions = GatewayOptions(),
) -> Iterator[Nodes]:
  """Nodes of a run on cheetah-run whose first cycle is to be collected.

  Args:
    episodes: that the cycle takes.
    names: of the nodes.
    gateway: where others join.
  """
  os.environ.update(SINGLE_THREADED)  # As the program starts these nodes.
  context = multiprocessing.get_context('spawn')
  config = GrowingBatchConfig(
    name='nodes',
    task='cheetah-run',
    cycles=1,
    actor_steps=episodes * EPISODE_STEPS,
    episode_steps=EPISODE_STEPS,
  )
  port, incarnation = portpicker.pick_unused_port(), secrets.token_hex(8)
  with tempfile.TemporaryDirectory() as runs, _Manager(ctx=context) as manager:
    directory = RunDirectory(Path(runs))
    directory.cycle(0).mkdir(parents=True)
    policy = random_policy()
    directory.publish(0, policy.to_bytes())
    tasks.settle(config, directory)
    conductor = manager.Conductor(  # type: ignore[attr-defined]  # Registered.
      config, directory, _wait_for_stop
    )
    arguments = (config, directory, conductor, port, incarnation, gateway)
    processes = [
      context.Process(target=_run_node, args=(name, *arguments), daemon=True)
      for name in names
    ]
    for process in processes:
      process.start()
    try:
      yield Nodes(config, policy, conductor, processes)
    finally:
      for process in processes:
        process.kill()
        process.join()


def _run_node(
  name: str,
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  port: int,
  incarnation: str,
  gateway: GatewayOptions,
) -> None:
  """What the program's node of that name does."""
  address = f'localhost:{port}'
  data = (config, directory, conductor, address, incarnation, ())
  if name == 'replay':
    replay.run_replay(port, incarnation, _wait_for_stop)
  elif name == 'curator':
    curator.run_curator(*data, gateway, _wait_for_stop)
  else:
    actor.run_actor(*data, 0, _wait_for_stop)


def _wait_for_stop(seconds: float) -> bool:
  time.sleep(seconds)
  return False


def random_policy() -> Policy:
  """A policy of cheetah's sizes and 3 x 256."""
  random = np.random.default_rng(0)
  sizes = (17, 256, 256, 256, 6)
  arrays = {
    'norm/scale': np.ones(256, np.float32),
    'norm/offset': np.zeros(256, np.float32),
  }
  for index, (rows, columns) in enumerate(itertools.pairwise(sizes)):
    weights = random.normal(0, rows**-0.5, (rows, columns))
    arrays[f'{index}/w'] = weights.astype(np.float32)
    arrays[f'{index}/b'] = np.zeros(columns, np.float32)
  return Policy(arrays)
