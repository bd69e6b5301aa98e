"""Our side of benchmarks.acting: three of the program's nodes."""

import itertools
import multiprocessing
from multiprocessing.managers import BaseManager
import os
from pathlib import Path
import secrets
import tempfile
import time
from typing import Any, Optional

import numpy as np
import portpicker

from agents.policy import Policy
from launchers import nodes
from launchers.config import GrowingBatchConfig
from launchers.process import SINGLE_THREADED
from launchers.run_directory import RunDirectory

EPISODE_STEPS = 1_000


class Orders:
  """Stands in for the conductor: cycle 1, with a policy of random weights.

  The nodes ask it through a socket, as they ask the conductor.
  """

  def __init__(self) -> None:
    self._policy = random_policy()
    self._wanted = 0
    self._done: set[int] = set()

  def want(self, episodes: int) -> None:
    """Asks for `episodes` in all."""
    self._wanted = episodes

  def num_done(self) -> int:
    """How many are durable."""
    return len(self._done)

  def act_order(self, unused_actor: int) -> Optional[dict[str, Any]]:
    """See `Conductor.act_order`."""
    missing = sorted(set(range(self._wanted)) - self._done)
    if not missing:
      return None
    return {'cycle': 1, 'episodes': [(episode, 0) for episode in missing]}

  def policy(self, unused_cycle: int) -> bytes:
    """See `Conductor.policy`."""
    return self._policy.to_bytes()

  def policy_digest(self, unused_cycle: int) -> str:
    """See `Conductor.policy_digest`."""
    return self._policy.digest

  def cycles_to_restore(self) -> list[int]:
    """See `Conductor.cycles_to_restore`."""
    return []

  def restored(self) -> None:
    """See `Conductor.restored`."""

  def committed(self, identity: tuple[Any, ...], *_: Any) -> None:
    """See `Conductor.committed`."""
    self._done.add(identity[-1])

  def refused(self, identity: Any, reason: str) -> None:
    """See `Conductor.refused`."""
    raise RuntimeError(f'{identity} was refused: {reason}')


class _Manager(BaseManager):
  """Serves Orders on a UNIX socket."""


_Manager.register('Orders', Orders)


def run(episodes: int) -> float:
  """Seconds for our actor, Reverb server and curator."""
  os.environ.update(SINGLE_THREADED)  # As the program starts these nodes.
  context = multiprocessing.get_context('spawn')
  port, incarnation = portpicker.pick_unused_port(), secrets.token_hex(8)
  with tempfile.TemporaryDirectory() as runs, _Manager(ctx=context) as manager:
    orders = manager.Orders()  # type: ignore[attr-defined]  # Registered above.
    arguments = (orders, port, incarnation, Path(runs) / 'acting', episodes + 1)
    nodes = [
      context.Process(target=_run_node, args=(name, *arguments), daemon=True)
      for name in ('replay', 'curator', 'actor')
    ]
    for node in nodes:
      node.start()
    try:
      _await(orders, 1, nodes)
      started = time.perf_counter()
      _await(orders, episodes + 1, nodes)
      return time.perf_counter() - started
    finally:
      for node in nodes:
        node.kill()
        node.join()


def _await(orders: Any, episodes: int, nodes: list[Any]) -> None:
  orders.want(episodes)
  while orders.num_done() < episodes:
    dead = [node for node in nodes if not node.is_alive()]
    if dead:
      raise RuntimeError(f'A node ended: {dead}')
    time.sleep(0.005)


def _run_node(
  name: str,
  orders: Any,
  port: int,
  incarnation: str,
  directory: Path,
  episodes: int,
) -> None:
  """What the program's node of that name does."""
  config = GrowingBatchConfig(
    name='acting',
    task='cheetah-run',
    cycles=1,
    actor_steps=episodes * EPISODE_STEPS,
    episode_steps=EPISODE_STEPS,
  )
  address = f'localhost:{port}'
  if name == 'replay':
    nodes.run_replay(port, incarnation, _wait_for_stop)
  elif name == 'curator':
    nodes.run_curator(
      config, RunDirectory(directory), orders, address, incarnation,
      _wait_for_stop,
    )  # fmt: skip
  else:
    nodes.run_actor(config, 0, orders, address, incarnation, _wait_for_stop)


def _wait_for_stop(seconds: float) -> bool:
  time.sleep(seconds)
  return False


def random_policy() -> Any:
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
