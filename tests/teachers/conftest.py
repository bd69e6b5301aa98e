"""A client that sends a service any bytes, for the tests of what it answers."""

import pytest

from tests.teachers.services import Doubler, Raw, serving


@pytest.fixture(scope='module')
def raw():
  with serving(Doubler()) as server:
    yield Raw(server.address)
