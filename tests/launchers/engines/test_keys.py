"""Keys that are made for a run: for one user, and such as both ends take."""

from pathlib import Path

import pytest

from launchers.engines import keys
from teachers import credentials


def test_both_ends_take_them(tmp_path: Path) -> None:
  made = keys.inside(tmp_path / 'keys')
  keys.make(made)
  token = credentials.read_token(made.token)
  credentials.read_keys(made.certificate, made.key, token)
  credentials.read_certificates(made.certificate, '--ca')
  assert keys.name_in(made.certificate) == keys.NAME
  assert (tmp_path / 'keys').stat().st_mode & 0o777 == 0o700
  assert {p.stat().st_mode & 0o777 for p in made[:3]} == {0o600}


def test_they_are_made_once_and_whole(tmp_path: Path) -> None:
  made = keys.inside(tmp_path / 'keys')
  keys.make(made)
  before = [path.read_bytes() for path in made[:3]]
  keys.make(made)
  assert [path.read_bytes() for path in made[:3]] == before
  made.certificate.unlink()  # As a kill before the end leaves them.
  keys.make(made)
  credentials.read_keys(made.certificate, made.key, '')


def test_a_certificate_of_no_name_is_refused(tmp_path: Path) -> None:
  path = tmp_path / 'certificate.pem'
  path.write_text('-----BEGIN NOTHING-----')
  with pytest.raises(ValueError, match='PEM'):
    keys.name_in(path)
