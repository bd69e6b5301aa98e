"""One undisturbed run, which disturbed ones are compared with."""

import pytest

from tests.launchers import harness


@pytest.fixture(scope='session')
def reference(
  tmp_path_factory: pytest.TempPathFactory,
) -> harness.Run:
  """A tiny run from start to finish."""
  return harness.complete(
    tmp_path_factory.mktemp('reference'), **{'no-report': None, 'report': True}
  )
