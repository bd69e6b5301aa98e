"""What runs on several hosts, and what they are compared with."""

from collections.abc import Iterator
import os
from pathlib import Path
from unittest import mock

import pytest

from agents.deployed.policy import Snapshot
from teachers import untrained
from tests.launchers import harness
from tests.launchers.machines import hosts
from tests.launchers.workers.test_join import SLOW, Keys


@pytest.fixture(scope='session')
def possible() -> None:
  if reason := hosts.check_possible():
    pytest.skip(reason)


@pytest.fixture(scope='session')
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
  with mock.patch.dict(os.environ, NAME=hosts.NAME):
    return Keys(tmp_path_factory.mktemp('keys'))


@pytest.fixture(scope='session')
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """Acts in cycle 0, on whichever host."""
  path = tmp_path_factory.mktemp('teacher') / 'point.npz'
  snapshot = Snapshot(untrained.make(3, 1, 0, (8, 8)), {}, {})
  path.write_bytes(snapshot.to_bytes())
  return path


@pytest.fixture(scope='session')
def calm(
  possible: None, tmp_path_factory: pytest.TempPathFactory, teacher: Path
) -> harness.Run:
  """The run on one host, which nothing disturbs."""
  changes = {**SLOW, 'teacher': teacher}
  return harness.complete(tmp_path_factory.mktemp('calm'), **changes)


@pytest.fixture
def lan(possible: None, tmp_path: Path) -> Iterator[hosts.Lan]:
  with hosts.lan(tmp_path) as made:
    yield made
