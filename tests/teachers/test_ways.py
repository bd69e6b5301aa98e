"""Which way leads to a service from within a network namespace."""

from pathlib import Path

import pytest

from datasets import relays
from teachers import client, errors, ways


@pytest.fixture(autouse=True)
def _cut_off(monkeypatch) -> None:
  monkeypatch.setenv('UNDERSTUDY_RELAYS', '{}')


def test_an_address_that_nobody_named_is_refused() -> None:
  relays.announce({'teacher.example:1': '/nowhere'})
  with pytest.raises(ValueError, match=r'other\.example:1 cannot be'):
    ways.Way('other.example:1', b'')
  ways.Way('teacher.example:1', None)
  relays.forget()
  ways.Way('other.example:1', None)


def test_a_service_within_that_stays_away_says_where_it_was_looked_for() -> (
  None
):
  with pytest.raises(
    errors.TeacherUnavailableError, match=r'named in `Teacher\.reaches'
  ):
    client.connect(['127.0.0.1:1'], patience=0.2)


def test_a_relay_that_has_ended_is_told(tmp_path: Path) -> None:
  relays.announce({'127.0.0.1:1': str(tmp_path / '0')})
  with pytest.raises(errors.TeacherFailedError, match='give the same command'):
    client.connect(['127.0.0.1:1'], patience=5.0)
