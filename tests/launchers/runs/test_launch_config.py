"""How a run is run: keys of a gateway."""

from pathlib import Path

import pytest

from launchers.runs.launch_config import GatewayOptions
from teachers.credentials import ExposedError


def test_keys_without_a_gateway_are_refused() -> None:
  with pytest.raises(ValueError, match=r'there is no --gateway\.address'):
    GatewayOptions(token_file=Path('token'))


def test_beyond_this_host_keys_are_needed(tmp_path: Path) -> None:
  assert not GatewayOptions('127.0.0.1:1').keys().token
  token = tmp_path / 'token'
  token.write_text('a-token-of-some-length')
  with pytest.raises(ExposedError, match='needs TLS'):
    GatewayOptions('0.0.0.0:1', token_file=token).keys()
  with pytest.raises(ValueError, match='are a pair'):
    GatewayOptions('0.0.0.0:1', Path('certificate'), token_file=token).keys()
