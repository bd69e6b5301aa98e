"""The gateway, as the workers of a run use it."""

from concurrent import futures
import threading

import pytest

from launchers.acting.outcomes import ActingStoppedError
from launchers.gateway import wire
from launchers.workers.core import Core, RunDoneError
from launchers.workers.options import Keys
from teachers import credentials
from tests.launchers.gateway.program import (
  ENVIRONMENT,
  TOKEN,
  Program,
  episode_file,
)


def test_who_joins_is_told_what_to_act(program: Program) -> None:
  assignment, environment = program.core().join()
  assert assignment == ('run', 0, 'cartpole-swingup', None, 20)
  assert environment == ENVIRONMENT
  assert program.core().policy(2) == b'policy 2'


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


def test_orders_go_on_after_a_fault_of_the_conductor(program: Program) -> None:
  order = {'cycle': 1, 'noise': 0.3, 'episodes': [(0, 0)]}
  program.conductor.orders += [{'episodes': None}, order]
  assert program.core().act_order('here/actor/0', 8) == order


def test_evaluations_are_ordered_and_told(program: Program) -> None:
  key = ('final', 1, 8)
  found = {'key': key, 'policy': b'a policy', 'episodes': 10}
  program.conductor.evaluations.append({'evaluations': [found]})
  core = program.core('here/evaluator/0')
  order = core.evaluation_order('here/evaluator/0')
  assert order == {'evaluations': [found]}
  returns = [float(n) for n in range(9)]
  core.evaluated(key, returns, ['it fell'], 12.0)
  told = ('evaluated', key, returns, ['it fell'], 0.0)
  assert program.conductor.told[-1] == told


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
