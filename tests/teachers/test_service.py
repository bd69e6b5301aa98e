"""The service: what it answers, and what it refuses."""

import struct
import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from teachers import client, errors, service, wire
from teachers import service_pb2 as pb
from teachers.base import NotGivenError
from teachers.credentials import ServerKeys
from tests.teachers.services import ROOT, Doubler, serving

METHODS = ('Describe', 'Actions', 'ActionGradients')
OBSERVATIONS = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)
INVALID = grpc.StatusCode.INVALID_ARGUMENT
INTERNAL = grpc.StatusCode.INTERNAL


class Raw:
  """A client that sends any bytes."""

  def __init__(self, address: str):
    self.channel = grpc.insecure_channel(address, wire.OPTIONS)

  def ask(self, method: str, data: bytes) -> bytes:
    call = self.channel.unary_unary(f'/{wire.SERVICE}/{method}')
    return call(data, timeout=20)

  def refused(self, method: str, data: bytes) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
      self.ask(method, data)
    return caught.value.code(), caught.value.details()

  def check_it_goes_on(self) -> None:
    request = pb.ActionsRequest(observations=wire.encode(OBSERVATIONS))
    reply = self.ask('Actions', request.SerializeToString())
    values = wire.decode('', pb.Advice.FromString(reply).values)
    np.testing.assert_array_equal(values, Doubler().actions(OBSERVATIONS))


@pytest.fixture(scope='module')
def raw():
  with serving(Doubler()) as server:
    yield Raw(server.address)


@pytest.mark.filterwarnings('ignore:pkg_resources is deprecated')
def test_the_generated_module_is_that_of_the_proto(tmp_path) -> None:
  from grpc_tools import protoc

  words = ['', f'-I{ROOT}', f'--python_out={tmp_path}']
  assert protoc.main([*words, str(ROOT / 'teachers' / 'service.proto')]) == 0
  made = (tmp_path / 'teachers' / 'service_pb2.py').read_text('utf-8')
  kept = (ROOT / 'teachers' / 'service_pb2.py').read_text('utf-8')
  assert made == kept, (
    'python -m grpc_tools.protoc -I. --python_out=. teachers/service.proto'
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


def tensor(shape, data) -> bytes:
  message = pb.Tensor(shape=shape, data=data)
  return pb.ActionsRequest(observations=message).SerializeToString()


def floats(*values: float) -> bytes:
  return struct.pack(f'<{len(values)}f', *values)


@pytest.mark.parametrize(
  ('data', 'message'),
  [
    (b'', 'rank 0'),
    (b'\xff', 'are no ActionsRequest'),
    (tensor([], floats(1)), 'rank 0'),
    (tensor([3], floats(1, 2, 3)), 'rank 1'),
    (tensor([1, 1, 1, 1, 3], floats(1, 2, 3)), 'rank 5'),
    (tensor([1] * 100_000, floats(1)), 'rank 100000'),
    (tensor([2**31, 3], b''), 'need 25769803776 bytes'),
    (tensor([2**32 - 1] * 2, b'x'), 'there are 1'),
    (tensor([2**32 - 1, 0], b''), '4294967295 rows'),
    (tensor([0, 3], b''), 'between 1 and 65536'),
    (tensor([wire.MAX_ROWS + 1, 3], bytes(12 * (wire.MAX_ROWS + 1))), '65537'),
    (tensor([2, 3], floats(1, 2, 3)), 'need 24 bytes of float32; there are 12'),
    (tensor([1, 3], floats(1, 2, 3)[:-1]), 'there are 11'),
    (tensor([1, 2], floats(1, 2)), 'this teacher takes 3'),
    (tensor([1, 3], floats(1, float('nan'), 3)), r'observations[0, 1] = nan'),
    (tensor([1, 3], floats(1, 2, float('inf'))), 'must be finite'),
  ],
)
def test_a_wrong_request_is_refused_with_the_bound(raw, data, message) -> None:
  code, details = raw.refused('Actions', data)
  assert code == INVALID
  assert message in details
  raw.check_it_goes_on()


def test_actions_must_be_as_many_as_observations(raw) -> None:
  request = pb.ActionGradientsRequest(
    observations=wire.encode(OBSERVATIONS),
    actions=wire.encode(OBSERVATIONS[:3, :2] / 2),
  )
  code, details = raw.refused('ActionGradients', request.SerializeToString())
  assert code == INVALID
  assert '4 observations came with 3 actions' in details


@pytest.mark.parametrize('value', [7.0, -1.001, 1.0001, 1e30])
def test_gradients_at_actions_that_are_none_are_refused(raw, value) -> None:
  actions = OBSERVATIONS[:, :2].clip(-1, 1)
  actions[2, 1] = value
  request = pb.ActionGradientsRequest(
    observations=wire.encode(OBSERVATIONS), actions=wire.encode(actions)
  )
  code, details = raw.refused('ActionGradients', request.SerializeToString())
  assert code == INVALID
  assert f'actions[2, 1] = {np.float32(value)}' in details
  assert '[-1, 1]' in details


@pytest.mark.parametrize('text', ['x', '☃', '\U0001f600', '%', '\ud800', '\n'])
def test_an_error_stays_itself_however_long_it_is(text) -> None:
  class Wordy(Doubler):
    def actions(self, observations):
      raise RuntimeError(100_000 * text)

  with serving(Wordy()) as server:
    request = pb.ActionsRequest(observations=wire.encode(OBSERVATIONS))
    code, details = Raw(server.address).refused(
      'Actions', request.SerializeToString()
    )
  assert code == INTERNAL
  assert details.startswith('The teacher failed: RuntimeError: ')
  assert len(details.encode()) < 1_010


def test_a_teacher_is_asked_in_blocks() -> None:
  """Its layers take many times the bytes of a question."""
  sizes = []

  class Listening(Doubler):
    def actions(self, observations):
      sizes.append(len(observations))
      return super().actions(observations)

  many = np.zeros((wire.MAX_ROWS, 3), np.float32)
  request = pb.ActionGradientsRequest(
    observations=wire.encode(many), actions=wire.encode(many[:, :2])
  )
  with serving(Listening()) as server:
    raw = Raw(server.address)
    raw.ask('ActionGradients', request.SerializeToString())
    assert max(sizes) <= wire.BLOCK_ROWS
    assert sum(sizes) == wire.MAX_ROWS
    sizes.clear()
    client.connect([server.address]).actions(many)
    assert max(sizes) <= wire.BLOCK_ROWS
    assert sum(sizes) == wire.MAX_ROWS


def test_a_message_beyond_the_limit_is_refused(raw) -> None:
  call = grpc.insecure_channel(
    raw.channel._channel.target().decode(),
    [('grpc.max_send_message_length', -1)],
  ).unary_unary(f'/{wire.SERVICE}/Actions')
  with pytest.raises(grpc.RpcError) as caught:
    call(bytes(wire.MAX_BYTES + 1), timeout=30)
  assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
  raw.check_it_goes_on()


@pytest.mark.filterwarnings('ignore:Unexpected end-group tag')
@pytest.mark.parametrize('method', METHODS)
@settings(
  max_examples=150, deadline=None,
  suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.binary(max_size=200))
def test_random_bytes_never_stop_it(raw, method, data) -> None:
  try:
    reply = raw.ask(method, data)
  except grpc.RpcError as error:
    code = error.code()
  else:  # Chance hit a request: to Describe, any fields are one.
    assert method == 'Describe'
    assert pb.Description.FromString(reply).name == 'doubler'
    code = INVALID
  assert code == INVALID
  raw.check_it_goes_on()


@pytest.mark.parametrize('method', METHODS[1:])
def test_requests_cut_short_are_refused(raw, method) -> None:
  whole = pb.ActionGradientsRequest(
    observations=wire.encode(OBSERVATIONS),
    actions=wire.encode(OBSERVATIONS[:, :2]),
  ).SerializeToString()
  first = pb.ActionsRequest(observations=wire.encode(OBSERVATIONS)).ByteSize()
  for length in range(len(whole) if method == 'ActionGradients' else first):
    assert raw.refused(method, whole[:length])[0] == INVALID, length
  raw.check_it_goes_on()


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


def test_a_port_in_use_is_refused() -> None:
  with (
    serving(Doubler()) as server,
    pytest.raises(OSError, match=f'Cannot listen on {server.address}'),
  ):
    service.serve(Doubler(), server.address)


@pytest.mark.parametrize(
  'host', ['0.0.0.0', '[::]', '192.0.2.1', 'localhost.x']
)
@pytest.mark.parametrize('token', ['', 'a-token-of-some-length'])
def test_beyond_loopback_it_needs_tls_and_a_token(host, token) -> None:
  with pytest.raises(ValueError, match=r'TLS.* is missing.*127'):
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
