"""Who may talk to a teacher service, and over what."""

from collections.abc import Sequence
import ipaddress
from pathlib import Path
import re
import ssl
from typing import NamedTuple

HEADER = 'authorization'
_MIN_TOKEN = 16


class ExposedError(ValueError):
  """A teacher would be asked, or serve, unprotected beyond this host."""


class ServerKeys(NamedTuple):
  """What proves a service to its clients, and they to it; PEM texts.

  Attributes:
    certificate: the service's chain, its own first; empty: no TLS.
    key: the private key of the first certificate.
    token: that every call must bear; empty: any call will do.
    clients: those by which a client's own certificate must be signed; empty: it
      needs none.
  """

  certificate: bytes = b''
  key: bytes = b''
  token: str = ''
  clients: bytes = b''


def split_address(address: str) -> tuple[str, int]:
  """The host, without brackets, and the port of 'host:port'.

  Raises:
    ValueError: it is no such address.
  """
  match = re.fullmatch(r'(\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})', address)
  if not match or int(match[2]) > 65_535:
    raise ValueError(
      f'{address!r} is no address of a service: write host:port, for instance '
      '127.0.0.1:50051 or [::1]:50051, with a port of at most 65535.'
    )
  return match[1].strip('[]'), int(match[2])


def is_loopback(address: str) -> bool:
  """Whether 'host:port' can be reached from this host alone."""
  host, _ = split_address(address)
  try:
    return ipaddress.ip_address(host).is_loopback
  except ValueError:
    return host == 'localhost'


def check_exposure(address: str, tls: bool, token: bool, remedy: str) -> None:
  """Refuses a way to another host on which anyone could listen or ask.

  Raises:
    ExposedError: TLS or the token is missing, and needed.
  """
  if is_loopback(address) or (tls and token):
    return
  needed = (('TLS', tls), ('a token', token))
  missing = [name for name, is_there in needed if not is_there]
  raise ExposedError(
    f'{address} is not a loopback address, and needs {" and ".join(missing)}. '
    f'{remedy}'
  )


def read_token(path: Path) -> str:
  """The bearer token in a file; blanks around it do not count.

  Raises:
    OSError: the file cannot be read.
    ValueError: it holds no token.
  """
  return check_token(path.read_text(encoding='utf-8').strip(), str(path))


def check_token(token: str, source: str) -> str:
  """Returns a token that can stand in a header and is not guessed at once.

  Raises:
    ValueError: it is none; says what to do, and not what it is.
  """
  if not re.fullmatch(rf'[\x21-\x7e]{{{_MIN_TOKEN},}}', token):
    raise ValueError(
      f'{source} holds no token: it must be {_MIN_TOKEN} or more printable '
      'ASCII characters without blanks. Make one with `python -c '
      '"import secrets; print(secrets.token_urlsafe(32))"`.'
    )
  return token


def read_certificates(path: Path, source: str) -> bytes:
  """The certificates in a PEM file, by which a service is known.

  Args:
    path: the file.
    source: who named it, for errors: a variable or an option.

  Raises:
    OSError: the file cannot be read.
    ValueError: it holds none.
  """
  try:
    data = path.read_bytes()
    # gRPC would take a text that is none for a service that is away.
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
      cadata=data.decode('ascii')
    )
  except (ssl.SSLError, ValueError) as error:
    raise ValueError(
      f'{source} is {path}, which holds no certificates ({error}): give a PEM '
      'file, whose text begins with -----BEGIN CERTIFICATE-----.'
    ) from error
  except OSError as error:
    raise OSError(f'{source} is {path}: {error.strerror}.') from error
  return data


def read_keys(certificate: Path, key: Path, token: str) -> ServerKeys:
  """The keys of a service, from PEM files.

  Raises:
    OSError: a file cannot be read.
    ValueError: one is no PEM, or the key is not the certificate's.
  """
  keys = ServerKeys(certificate.read_bytes(), key.read_bytes(), token)
  try:
    # The empty password: nobody would be there to type another one.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, '')
  except (ssl.SSLError, ValueError) as error:
    raise ValueError(
      f'The certificate {certificate} and the key {key} are no pair '
      f'({error}): give PEM files, the key without a password.'
    ) from error
  return keys


def bearer(token: str) -> Sequence[tuple[str, str]]:
  """The metadata of a call that bears a token; none without one."""
  return ((HEADER, f'Bearer {token}'),) if token else ()
