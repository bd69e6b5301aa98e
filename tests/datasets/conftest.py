"""Reverb servers, one of them for tests to kill."""

import pytest

from tests.datasets.servers import Server


@pytest.fixture(scope='module')
def shared():
  """A server that no test kills; each takes out what it put in."""
  server = Server()
  yield server
  server.kill()


@pytest.fixture
def mortal():
  server = Server()
  yield server
  server.kill()
