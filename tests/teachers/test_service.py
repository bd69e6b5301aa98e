"""The service: what it answers, and what it refuses."""

import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
import numpy as np
import pytest

from teachers import client, errors, service, wire
from teachers import service_pb2 as pb
from teachers.base import NotGivenError
from teachers.credentials import ServerKeys
from tests.teachers.services import OBSERVATIONS, ROOT, Doubler, Raw, serving

METHODS = ('Describe', 'Actions', 'ActionGradients')
INVALID = grpc.StatusCode.INVALID_ARGUMENT
INTERNAL = grpc.StatusCode.INTERNAL


@pytest.mark.filterwarnings('ignore:pkg_resources is deprecated')
@pytest.mark.parametrize(
  'name', ['teachers/service', 'launchers/gateway/gateway']
)
def test_the_generated_module_is_that_of_the_proto(tmp_path, name) -> None:
  from grpc_tools import protoc

  words = ['', f'-I{ROOT}', f'--python_out={tmp_path}']
  assert protoc.main([*words, str(ROOT / f'{name}.proto')]) == 0
  made = (tmp_path / f'{name}_pb2.py').read_text('utf-8')
  kept = (ROOT / f'{name}_pb2.py').read_text('utf-8')
  assert made == kept, (
    f'python -m grpc_tools.protoc -I. --python_out=. {name}.proto'
  )


def test_it_answers_as_the_teacher_itself() -> None:
  teacher = Doubler()
  with serving(teacher) as server:
    remote = client.connect([server.address])
    assert (remote.name, remote.version) == ('doubler', '1')
    assert (remote.observation_size, remote.action_size) == (3, 2)
    assert remote.gives == {'actions', 'action_gradients'}
    actions = remote.actions(OBSERVATIONS)
    np.testing.assert_array_equal(actions, teacher.actions(OBSERVATIONS))
    given_actions = np.full((4, 2), 0.5, np.float32)
    np.testing.assert_array_equal(
      remote.action_gradients(OBSERVATIONS, given_actions),
      teacher.action_gradients(OBSERVATIONS, given_actions),
    )
    actions[0, 0] = 0  # The caller owns what it got.


def test_more_rows_than_a_message_holds_go_in_pieces() -> None:
  with serving(Doubler()) as server:
    remote = client.connect([server.address])
    many = np.random.default_rng(0).normal(size=(2 * wire.MAX_ROWS + 1, 3))
    many = many.astype(np.float32)
    np.testing.assert_array_equal(remote.actions(many), np.tanh(many[:, :2]))


def test_what_a_teacher_does_not_give_is_unimplemented() -> None:
  with serving(Doubler(gives_gradients=False)) as server:
    remote = client.connect([server.address])
    assert remote.gives == {'actions'}
    with pytest.raises(NotGivenError, match='doubler'):
      remote.action_gradients(OBSERVATIONS, OBSERVATIONS[:, :2])
    request = pb.ActionGradientsRequest(
      observations=wire.encode(OBSERVATIONS),
      actions=wire.encode(OBSERVATIONS[:, :2].clip(-1, 1)),
    )
    code, details = Raw(server.address).refused(
      'ActionGradients', request.SerializeToString()
    )
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert 'doubler' in details


def test_it_tells_its_health(raw) -> None:
  stub = health_pb2_grpc.HealthStub(raw.channel)
  for name in ('', wire.SERVICE):
    reply = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(
  ('answer', 'message'),
  [
    (lambda o: 1 / 0, 'ZeroDivisionError: '),
    (lambda o: [].pop(), 'IndexError: pop from empty list'),
    (lambda o: exit('enough'), 'SystemExit: enough'),
    (lambda o: None, 'NoneType'),
    (lambda o: np.zeros((len(o), 2)), 'float64'),
    (lambda o: np.zeros((len(o), 3), np.float32), 'shape (4, 3)'),
    (lambda o: np.full((len(o), 2), np.nan, np.float32), 'nan'),
    (lambda o: np.full((len(o), 2), 1.5, np.float32), 'beyond [-1, 1]'),
  ],
)
def test_a_teachers_own_fault_is_internal(answer, message, capfd) -> None:
  class Broken(Doubler):
    def actions(self, observations):
      if len(observations) == 4:
        return answer(observations)
      return super().actions(observations)

  with serving(Broken()) as server:
    remote = client.connect([server.address])
    with pytest.raises(errors.TeacherFailedError) as caught:
      remote.actions(OBSERVATIONS)
    for part in (message, 'INTERNAL', server.address):
      assert part in str(caught.value)
    assert remote.actions(OBSERVATIONS[:2]).shape == (2, 2)
  if 'Error: ' in message:
    assert 'Traceback' in capfd.readouterr().err


def test_a_port_in_use_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
  with (
    serving(Doubler()) as server,
    pytest.raises(OSError, match=f'Cannot listen on {server.address}.*Stop'),
  ):
    service.serve(Doubler(), server.address)
  # Nor does gRPC's C++ say it beside us.
  assert not capfd.readouterr().err


def test_a_place_of_another_machine_is_refused() -> None:
  with pytest.raises(OSError, match=r'Cannot listen.*of this machine'):
    service._check_place('192.0.2.1:50051')


@pytest.mark.parametrize(
  'host', ['0.0.0.0', '[::]', '192.0.2.1', 'localhost.x']
)
@pytest.mark.parametrize('token', ['', 'a-token-of-some-length'])
def test_beyond_loopback_it_needs_tls_and_a_token(host, token) -> None:
  with pytest.raises(ValueError, match=r'needs TLS.*127'):
    service.serve(Doubler(), f'{host}:0', keys=ServerKeys(token=token))


@pytest.mark.parametrize('address', ['', 'x', 'x:y', '127.0.0.1:70000', ':1'])
def test_an_address_that_is_none_is_refused(address) -> None:
  with pytest.raises(ValueError, match='write host:port'):
    service.serve(Doubler(), address)


def test_a_stop_lets_calls_under_way_finish() -> None:
  class Slow(Doubler):
    def actions(self, observations):
      begun.set()
      time.sleep(0.5)
      return super().actions(observations)

  begun = threading.Event()
  server = service.serve(Slow())
  remote = client.connect([server.address], patience=0.0)
  got: list[np.ndarray] = []
  asking = threading.Thread(
    target=lambda: got.append(remote.actions(OBSERVATIONS))
  )
  asking.start()
  assert begun.wait(10)
  server.stop(10.0)
  asking.join(10)
  assert got[0].shape == (4, 2)
