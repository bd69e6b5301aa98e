"""The keys of a run's gateway, made where a person gives none."""

import datetime
import os
from pathlib import Path
import secrets
from typing import NamedTuple

from datasets import files

NAME = 'understudy-core'
"""Of which the certificates are that are made here. Where the core will run
nobody knows yet, so that workers are told this name (--server-name)."""

_DAYS = 3_650


class KeyFiles(NamedTuple):
  """Where the keys are, and of which name the certificate is."""

  certificate: Path
  key: Path
  token: Path
  name: str = NAME

  def of_the_run(self) -> list[str]:
    """Options of `launchers.growing_batch`."""
    return [
      '--gateway.tls-certificate', str(self.certificate),
      '--gateway.tls-key', str(self.key),
      '--gateway.token-file', str(self.token),
    ]  # fmt: skip

  def of_a_worker(self) -> list[str]:
    """Options of `launchers.join`."""
    return [
      '--token-file', str(self.token), '--ca', str(self.certificate),
      '--server-name', self.name,
    ]  # fmt: skip


def inside(directory: Path) -> KeyFiles:
  """The files of keys in a directory, whether or not they are there."""
  return KeyFiles(
    directory / 'certificate.pem', directory / 'key.pem', directory / 'token'
  )


def make(keys: KeyFiles) -> None:
  """Makes what is not there, for this user alone.

  Raises:
    OSError: a file cannot be written.
  """
  if keys.certificate.exists():
    return  # It is written last.
  directory = files.make_directory(keys.certificate.parent)
  directory.chmod(0o700)
  certificate, key = _self_signed()
  token = secrets.token_urlsafe(32).encode() + b'\n'
  for path, data in (
    (keys.token, token), (keys.key, key), (keys.certificate, certificate),
  ):  # fmt: skip
    files.write_bytes(path, data)
    os.chmod(path, 0o600)


def name_in(certificate: Path) -> str:
  """The first name that a certificate is of.

  Raises:
    OSError: the file cannot be read.
    ValueError: it has none by which a worker could know the run.
  """
  from cryptography import x509

  try:
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = found.extensions.get_extension_for_class(
      x509.SubjectAlternativeName
    ).value.get_values_for_type(x509.DNSName)
  except x509.ExtensionNotFound:
    names = []
  if not names:
    raise ValueError(
      f'{certificate} is of no name: make it with a subjectAltName of type '
      'DNS, as docs/machines.md does.'
    )
  return names[0]


def _self_signed() -> tuple[bytes, bytes]:
  """A certificate and its key, in PEM."""
  # OpenSSL, which --help does without.
  from cryptography import x509
  from cryptography.hazmat.primitives import hashes, serialization
  from cryptography.hazmat.primitives.asymmetric import ec

  key = ec.generate_private_key(ec.SECP256R1())
  name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
  now = datetime.datetime.now(datetime.timezone.utc)
  certificate = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    # A worker's clock may be behind.
    .not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=_DAYS))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), False)
    .sign(key, hashes.SHA256())
  )
  pem = serialization.Encoding.PEM
  return certificate.public_bytes(pem), key.private_bytes(
    pem,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
  )
