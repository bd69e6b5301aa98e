"""What a service makes of requests that are wrong, cut or too big."""

import struct

import grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from teachers import client, wire
from teachers import service_pb2 as pb
from tests.teachers.services import OBSERVATIONS, Doubler, Raw, serving

METHODS = ('Describe', 'Actions', 'ActionGradients')
INVALID = grpc.StatusCode.INVALID_ARGUMENT
INTERNAL = grpc.StatusCode.INTERNAL


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
