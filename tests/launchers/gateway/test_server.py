"""The gateway, with a conductor and a curator that the test is."""

from collections.abc import Iterator
from concurrent import futures
import pickle
import threading
from typing import Any, Optional

import grpc
import numpy as np
import pytest

from datasets import arrays, encoding
from datasets.types import Episode, EpisodeId
from launchers.acting.outcomes import ActingStoppedError
from launchers.environments.base import Description
from launchers.environments.suite import Environment
from launchers.gateway import gateway_pb2 as pb
from launchers.gateway import server, wire
from launchers.gateway.intake import Arrival
from launchers.gateway.server import Gateway
from launchers.runs.config import GrowingBatchConfig
from launchers.workers.core import Core, RunDoneError, TurnedAwayError
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
    self.told: list[tuple[Any, ...]] = []

  def act_order(self, worker: str, most: int, first_cycle: int) -> Any:
    self.told.append(('asked', worker, most, first_cycle))
    return self.orders.pop(0) if self.orders else None

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


@pytest.fixture
def program() -> Iterator[Program]:
  made = Program()
  yield made
  made.close()


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


def test_who_joins_is_told_what_to_act(program: Program) -> None:
  assignment, environment = program.core().join()
  assert assignment == ('run', 0, 'cartpole-swingup', None, 20)
  assert environment == ENVIRONMENT
  assert program.core().policy(2) == b'policy 2'


def test_another_version_is_turned_away(program: Program) -> None:
  theirs = {**wire.versions(), 'mujoco': '1.0'}
  request = pb.JoinRequest(
    worker='here', protocol=wire.PROTOCOL, versions=theirs
  )
  with pytest.raises(grpc.RpcError) as refusal:
    program.raw('Join', request.SerializeToString())
  assert refusal.value.code() == grpc.StatusCode.FAILED_PRECONDITION
  assert 'mujoco: 1.0, not' in refusal.value.details()
  newer = pb.JoinRequest(worker='here', protocol=wire.PROTOCOL + 1)
  with pytest.raises(grpc.RpcError, match='protocol'):
    program.raw('Join', newer.SerializeToString())


def test_orders_come_to_who_waits(program: Program) -> None:
  with futures.ThreadPoolExecutor(1) as pool:
    waiting = pool.submit(program.core().act_order, 'here/actor/0', 8)
    while ('asked', 'here/actor/0', 8, 0) not in program.conductor.told:
      assert not waiting.done()
    order = {'cycle': 1, 'noise': 0.3, 'episodes': [(3, 0), (4, 1)]}
    program.conductor.orders.append(order)
    assert waiting.result(20) == order


def test_without_orders_a_worker_is_told_to_ask_again(
  program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(wire, 'WAIT_SECONDS', 0.2)
  assert program.core().act_order('here/actor/0', 8) is None
  assert ('alive', 'here/actor/0') in program.conductor.told


def test_a_run_that_is_done_says_so(program: Program) -> None:
  program.is_done = True
  with pytest.raises(RunDoneError):
    program.core().act_order('here/actor/0', 8)


def test_what_is_safe_is_acknowledged(program: Program) -> None:
  assert program.core().deliver(episode_file(3)) == ''
  assert [e.identity.episode for e in program.episodes] == [3]


def test_nothing_is_acknowledged_before(program: Program) -> None:
  program.reason = None  # The curator is at work.
  with futures.ThreadPoolExecutor(1) as pool:
    delivery = pool.submit(program.core().deliver, episode_file())
    with pytest.raises(futures.TimeoutError):
      delivery.result(1)
    program.answer_all()
    assert delivery.result(20) == ''


@pytest.mark.parametrize(
  'data',
  [b'', b'junk', pickle.dumps({'a': 1}), episode_file()[:-20]],
  ids=['empty', 'junk', 'pickle', 'torn'],
)
def test_what_is_no_episode_is_refused(program: Program, data: bytes) -> None:
  assert program.core().deliver(data)
  assert not program.episodes


def test_who_brings_nothing_good_is_shut_out(program: Program) -> None:
  program.reason = 'reward is NaN'
  core = program.core('bad/actor/0')
  for _ in range(server.MAX_REFUSED):
    assert core.deliver(episode_file()) == 'reward is NaN'
  with pytest.raises(TurnedAwayError, match='shut out'):
    core.deliver(episode_file())
  with pytest.raises(TurnedAwayError, match='shut out'):
    core.act_order('bad/actor/0', 8)
  assert ('left', 'bad/actor/0') in program.conductor.told
  (warning,) = [t[1] for t in program.conductor.told if t[0] == 'warn']
  assert 'bad/actor/0 is shut out' in warning
  program.reason = ''
  assert program.core('good/actor/0').deliver(episode_file()) == ''


@pytest.mark.parametrize('method', ['Join', 'Orders', 'Deliver', 'Leave'])
@pytest.mark.parametrize('token', ['', 'another-token-of-some-length'])
def test_without_the_token_nobody_gets_in(
  program: Program, method: str, token: str
) -> None:
  with pytest.raises(grpc.RpcError) as refusal:
    program.raw(method, b'', token)
  assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
  'name', ['', 'x' * (wire.MAX_NAME + 1), 'two\nlines', '\x1b[2J']
)
def test_names_that_nobody_should_read_are_refused(
  program: Program, name: str
) -> None:
  request = pb.OrdersRequest(worker=name, most=8)
  with pytest.raises(grpc.RpcError) as refusal:
    program.raw('Orders', request.SerializeToString())
  assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_refusal_gives_back_what_a_worker_holds(program: Program) -> None:
  """It would not bring it again, and live on."""
  program.core('here/actor/0').deliver(b'junk')
  assert ('left', 'here/actor/0') in program.conductor.told


def test_only_episodes_of_the_run_can_fail(program: Program) -> None:
  core = program.core()
  core.refused(('run', 2, 0, 0), 'the simulation diverged', 0)
  failed = ('refused', ('run', 2, 0, 0), 'the simulation diverged', 0)
  assert program.conductor.told[-1] == failed
  core.refused(('run', 3, 0, 0), 'late or early', 0)
  assert program.conductor.told[-1] == failed
  for cycle, episode in ((1 << 31, 0), (2, 1 << 60)):
    with pytest.raises(TurnedAwayError, match='none of this run'):
      core.refused(('run', cycle, 0, episode), 'no such episode', 0)
  assert program.conductor.told[-1] == failed


@pytest.mark.parametrize('cycle', [3, 1 << 31])
def test_policies_that_do_not_act_are_not_looked_for(
  program: Program, cycle: int
) -> None:
  with pytest.raises(TurnedAwayError, match='No policy acts in cycle'):
    program.core().policy(cycle)


def test_orders_go_on_after_a_fault_of_the_conductor(program: Program) -> None:
  order = {'cycle': 1, 'noise': 0.3, 'episodes': [(0, 0)]}
  program.conductor.orders += [{'episodes': None}, order]
  assert program.core().act_order('here/actor/0', 8) == order


def test_what_does_not_parse_is_refused(program: Program) -> None:
  with pytest.raises(grpc.RpcError) as refusal:
    program.raw('Deliver', pickle.dumps('x' * 100))
  assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_many_join_at_once(program: Program) -> None:
  with futures.ThreadPoolExecutor(50) as pool:
    cores = [program.core(f'host-{n}/actor/0') for n in range(200)]
    joined = list(pool.map(lambda core: core.join()[0].run, cores))
  assert joined == ['run'] * 200


def test_a_worker_waits_for_a_run_that_is_away(program: Program) -> None:
  address = program.address
  stop, told = threading.Event(), list[str]()
  core = Core(address, Keys(TOKEN), 'here', stop.wait, told.append)
  core.join()
  program.close()
  with futures.ThreadPoolExecutor(1) as pool:
    call = pool.submit(core.policy, 1)
    while not told:
      assert not call.done()
    assert 'does not answer' in told[0]
    stop.set()
    with pytest.raises(ActingStoppedError):
      call.result(20)


def test_another_host_is_asked_with_keys_alone() -> None:
  with pytest.raises(credentials.ExposedError, match='--ca'):
    Core('10.0.0.1:5', Keys(TOKEN), 'here', threading.Event().wait, print)
