"""A client that sends a service any bytes."""

import grpc
import pytest

from teachers import wire
from tests.teachers.services import Doubler, serving


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
