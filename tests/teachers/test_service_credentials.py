"""Who may talk to a service, and over what."""

from pathlib import Path
import ssl
import subprocess
import time

import grpc
import numpy as np
import pytest

from teachers import client, credentials, errors, service, wire
from teachers.credentials import ServerKeys
from tests.teachers.services import Doubler, serving

OBSERVATIONS = np.zeros((4, 3), np.float32)
TOKEN = 'a-token-of-some-length'


@pytest.fixture(scope='module')
def pem(tmp_path_factory) -> tuple[Path, Path]:
  """A self-signed certificate of 127.0.0.1, and its key."""
  directory = tmp_path_factory.mktemp('pem')
  certificate, key = directory / 'certificate.pem', directory / 'key.pem'
  subprocess.run(
    [
      'openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
      '-subj', '/CN=teacher', '-addext', 'subjectAltName=IP:127.0.0.1',
      '-out', str(certificate), '-keyout', str(key),
    ],
    check=True, capture_output=True,
  )  # fmt: skip
  return certificate, key


@pytest.fixture(scope='module')
def secured(pem):
  keys = ServerKeys(pem[0].read_bytes(), pem[1].read_bytes(), TOKEN)
  with serving(Doubler(), keys=keys) as server:
    yield server.address


def test_tls_and_the_token_let_in(secured, pem, monkeypatch) -> None:
  remote = client.connect([secured], token=TOKEN, root_certificates=pem[0])
  assert remote.actions(OBSERVATIONS).shape == (4, 2)
  monkeypatch.setenv(client.TOKEN, TOKEN)
  monkeypatch.setenv(client.ROOT_CERTIFICATES, str(pem[0]))
  assert client.connect([secured]).actions(OBSERVATIONS).shape == (4, 2)


@pytest.mark.parametrize('token', ['', TOKEN + 'x', TOKEN.upper()])
def test_another_token_is_refused(secured, pem, token) -> None:
  with pytest.raises(errors.TeacherFailedError, match='UNAUTHENTICATED'):
    client.connect([secured], token=token, root_certificates=pem[0])


def test_the_token_guards_every_method(secured, pem) -> None:
  keys = grpc.ssl_channel_credentials(pem[0].read_bytes())
  channel = grpc.secure_channel(secured, keys)
  for method in (
    f'/{wire.SERVICE}/Actions',
    '/grpc.health.v1.Health/Check',
    '/no.such/Method',
  ):
    for metadata in (
      (),
      ((credentials.HEADER, TOKEN),),
      ((credentials.HEADER, f'Bearer {TOKEN}'),) * 2,
    ):
      with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(method)(b'', timeout=10, metadata=metadata)
      assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_plain_text_is_not_answered_by_tls(secured) -> None:
  with pytest.raises(errors.TeacherUnavailableError, match='UNAVAILABLE'):
    client.connect([secured], token=TOKEN, patience=0.2)


def test_an_unknown_certificate_is_not_trusted(secured, tmp_path) -> None:
  other = tmp_path / 'other.pem'
  subprocess.run(
    [
      'openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
      '-subj', '/CN=other', '-addext', 'subjectAltName=IP:127.0.0.1',
      '-out', str(other), '-keyout', str(tmp_path / 'key.pem'),
    ],
    check=True, capture_output=True,
  )  # fmt: skip
  with pytest.raises(errors.TeacherUnavailableError, match=r'(?i)certificate'):
    client.connect([secured], token=TOKEN, root_certificates=other, patience=0)


@pytest.mark.parametrize(
  'address',
  ['192.0.2.1:5', 'teacher.example:5', '[2001:db8::1]:5', '0.0.0.0:5'],
)
@pytest.mark.parametrize('secret', ['', TOKEN])
def test_plain_text_beyond_loopback_is_refused(address, secret) -> None:
  with pytest.raises(credentials.ExposedError, match=r'TLS.*ROOT_CERTIFICATES'):
    client.connect([f'grpc://{address}'], token=secret)


def test_tls_alone_does_not_do_beyond_loopback(pem) -> None:
  with pytest.raises(credentials.ExposedError, match='needs a token'):
    client.connect(['grpc://192.0.2.1:5'], root_certificates=pem[0])


@pytest.mark.parametrize(
  ('address', 'local'),
  [
    ('127.0.0.1:1', True),
    ('127.8.8.8:1', True),
    ('[::1]:1', True),
    ('localhost:1', True),
    ('localhost.example:1', False),
    ('10.0.0.1:1', False),
    ('[::]:1', False),
    ('0.0.0.0:1', False),
  ],
)
def test_what_is_loopback(address, local) -> None:
  assert credentials.is_loopback(address) == local


@pytest.mark.parametrize(
  'text', ['', 'short', 'with blanks in the middle', 'é' * 20]
)
def test_a_token_that_is_none_is_not_told(text, tmp_path) -> None:
  path = tmp_path / 'token'
  path.write_text(text + '\n')
  with pytest.raises(ValueError, match='holds no token') as caught:
    credentials.read_token(path)
  assert not text or text not in str(caught.value)


@pytest.fixture
def no_pem(request, pem, tmp_path) -> Path:
  """Files that hold no certificate, each in its own way."""
  text = pem[0].read_text()
  lines = text.splitlines(keepends=True)
  made = {
    'empty': b'',
    'text': b'not a certificate\n',
    'binary': bytes(range(256)),
    'key': pem[1].read_bytes(),
    'cut': ''.join(lines[:-3]).encode(),
    'damaged': text.replace(lines[3], 'A' * 64 + '\n').encode(),
    'der': ssl.PEM_cert_to_DER_cert(text),
    'umlauts': 'schlüssel'.encode(),
  }[request.param]
  path = tmp_path / f'{request.param}.pem'
  path.write_bytes(made)
  return path


NO_PEM = pytest.mark.parametrize(
  'no_pem',
  ['empty', 'text', 'binary', 'key', 'cut', 'damaged', 'der', 'umlauts'],
  indirect=True,
)


@NO_PEM
def test_certificates_that_are_no_pem_are_refused_at_once(
  secured, no_pem, monkeypatch
) -> None:
  monkeypatch.setenv(client.TOKEN, TOKEN)
  monkeypatch.setenv(client.ROOT_CERTIFICATES, str(no_pem))
  began = time.monotonic()
  with pytest.raises(ValueError, match=client.ROOT_CERTIFICATES) as caught:
    client.connect([secured])
  assert time.monotonic() - began < 2
  assert str(no_pem) in str(caught.value)


def test_certificates_that_are_not_there_are_named(
  secured, monkeypatch
) -> None:
  monkeypatch.setenv(client.ROOT_CERTIFICATES, '/no/such/file')
  with pytest.raises(OSError, match=f'{client.ROOT_CERTIFICATES} is /no/such'):
    client.connect([secured], token=TOKEN)


@NO_PEM
def test_keys_of_a_service_that_are_no_pem_are_named(pem, no_pem) -> None:
  for pair in ((no_pem, pem[1]), (pem[0], no_pem)):
    if pair[1].stem == 'key':
      continue  # Which it is.
    with pytest.raises(ValueError, match=r'The certificate.* no pair') as told:
      credentials.read_keys(*pair, TOKEN)
    assert str(no_pem) in str(told.value)


def test_keys_that_are_none_are_refused(pem) -> None:
  wrong = ServerKeys(b'no certificate', pem[1].read_bytes(), TOKEN)
  with pytest.raises(OSError, match='Cannot listen'):
    service.serve(Doubler(), keys=wrong)
