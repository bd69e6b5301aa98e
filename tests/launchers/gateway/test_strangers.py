"""The gateway, and those whom it should not serve."""

import pickle

import grpc
import numpy as np
import pytest

from launchers.gateway import gateway_pb2 as pb
from launchers.gateway import server, wire
from launchers.workers.core import TurnedAwayError
from tests.launchers.gateway.program import (
  Program,
  episode_file,
)


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


def test_what_does_not_parse_is_refused(program: Program) -> None:
  with pytest.raises(grpc.RpcError) as refusal:
    program.raw('Deliver', pickle.dumps('x' * 100))
  assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
  ('returns', 'said'),
  [([1.0] * 9, 'takes 10 episodes'), ([np.nan] * 10, 'not finite')],
)
def test_what_is_no_evaluation_is_refused(
  program: Program, returns: list[float], said: str
) -> None:
  with pytest.raises(TurnedAwayError, match=said):
    program.core().evaluated(('final', 1, 8), returns, [], 0.0)
  assert 'evaluated' not in [name for name, *_ in program.conductor.told]


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
