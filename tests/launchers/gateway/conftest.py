"""What the tests of the gateway share."""

from collections.abc import Iterator

import pytest

from tests.launchers.gateway.program import Program


@pytest.fixture
def program() -> Iterator[Program]:
  made = Program()
  yield made
  made.close()
