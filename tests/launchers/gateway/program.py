"""A gateway, with a conductor and a curator that the test is."""

from collections.abc import Callable
import threading
from typing import Any, Optional

import grpc
import numpy as np

from datasets import arrays, encoding
from datasets.types import Episode, EpisodeId
from launchers.environments.base import Description
from launchers.environments.suite import Environment
from launchers.gateway import wire
from launchers.gateway.intake import Arrival
from launchers.gateway.server import Gateway
from launchers.runs.config import GrowingBatchConfig
from launchers.workers.core import Core
from launchers.workers.options import Keys
from teachers import credentials
from teachers.credentials import ServerKeys

TOKEN = 'a-token-of-some-length'
CONFIG = GrowingBatchConfig(
  name='run', task='cartpole-swingup', actor_steps=80, episode_steps=20,
  learner_steps=8,
)  # fmt: skip
ENVIRONMENT = Description.of(Environment('cartpole-swingup'))


class Conductor:
  """Orders what is put there, and writes down what it is told."""

  def __init__(self) -> None:
    self.orders: list[dict[str, Any]] = []
    self.evaluations: list[dict[str, Any]] = []
    self.evaluated: Callable[..., None] = (
      lambda *told: self.told.append(('evaluated', *told))
    )  # fmt: skip
    self.told: list[tuple[Any, ...]] = []

  def act_order(self, worker: str, most: int, first_cycle: int) -> Any:
    self.told.append(('asked', worker, most, first_cycle))
    return self.orders.pop(0) if self.orders else None

  def evaluation_order(self, worker: str, has_teacher: bool) -> Any:
    assert has_teacher
    return self.evaluations.pop(0) if self.evaluations else None

  def open_cycles(self) -> list[int]:
    return [1, 2]

  def policy(self, cycle: int) -> bytes:
    return b'policy %d' % cycle

  def __getattr__(self, name: str) -> Any:
    return lambda *arguments: self.told.append((name, *arguments))


class Program:
  """A gateway, and what serves its episodes."""

  def __init__(self) -> None:
    self.conductor = Conductor()
    self.is_done = False
    self.episodes: list[Episode] = []
    self._held: list[Arrival] = []
    self.reason: Optional[str] = ''
    self.gateway = Gateway(
      CONFIG, ENVIRONMENT, self.conductor, lambda: self.is_done,
      ('expert', b'snapshot'),
    )  # fmt: skip
    port = self.gateway.serve('127.0.0.1:0', ServerKeys(token=TOKEN))
    self.address = f'127.0.0.1:{port}'
    self.told: list[str] = []  # By workers, to a person.
    self._stop = threading.Event()
    self._thread = threading.Thread(target=self._curate)
    self._thread.start()

  def _curate(self) -> None:
    while not self._stop.is_set():
      self._held += self.gateway.take(0.05)
      if self.reason is not None:
        self.answer_all()

  def answer_all(self) -> None:
    """As the curator does when all is safe."""
    while self._held:
      arrival = self._held.pop(0)
      self.episodes.append(arrival.packed.episode)
      arrival.answer(self.reason or '')

  def close(self) -> None:
    if not self._stop.is_set():
      self._stop.set()
      self._thread.join()
      self.gateway.close()

  def core(self, name: str = 'here/actor/0', token: str = TOKEN) -> Core:
    return Core(
      self.address, Keys(token), name, threading.Event().wait, self.told.append
    )

  def raw(self, method: str, data: bytes, token: str = TOKEN) -> Any:
    """The answer to any bytes; raises grpc.RpcError."""
    with grpc.insecure_channel(self.address) as channel:
      call = channel.unary_unary(wire.method(method))
      return call(data, timeout=20, metadata=credentials.bearer(token))


def episode_file(episode: int = 0) -> bytes:
  ones = np.ones(20, np.float32)
  return arrays.encode(
    *encoding.to_arrays(
      Episode(
        EpisodeId('run', 1, 0, episode), 'digest',
        np.zeros((21, 5), np.float32), np.zeros((20, 1), np.float32),
        ones, ones,
      )
    )
  )[0]  # fmt: skip
