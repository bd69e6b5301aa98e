"""Serves a teacher over gRPC: python -m launchers.teach --teacher T."""

import dataclasses
from pathlib import Path
import signal
import sys
import threading
from typing import TYPE_CHECKING, Optional

from rich.console import Console

from datasets import bounds
from launchers import command_line
from launchers.hosts import process
from launchers.hosts.early import STOPS
from launchers.options import task_of
from teachers import registry
from teachers.base import Teacher

if TYPE_CHECKING:
  from teachers.credentials import ServerKeys


@dataclasses.dataclass(frozen=True)
class TeachConfig:
  """Answers for a teacher until Ctrl-C or SIGTERM; then exits with 0."""

  teacher: str
  """TASK/TIER, a snapshot's path, module:factory or grpc://host:port."""
  task: str = ''
  """The task; empty: the one that the snapshot names."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  port: int = 50_051
  """TCP port; 0: any that is free. The line that it prints says which."""
  host: str = '127.0.0.1'
  """Address to listen on; others than loopback need TLS and a token."""
  workers: int = 4
  """Calls answered at the same time."""
  grace: float = 5.0
  """Seconds that calls under way may still take at the end."""
  tls_certificate: Optional[Path] = None
  """PEM file of the service's certificate chain."""
  tls_key: Optional[Path] = None
  """PEM file of the certificate's private key."""
  token_file: Optional[Path] = None
  """File with the bearer token that every call must bear."""

  def __post_init__(self) -> None:
    bounds.check(
      self, action_bound=(bounds.ABOVE_0, 1e9), port=bounds.PORT,
      workers=(1, 10_000), grace=(0, 1e6),
    )  # fmt: skip
    if (self.tls_certificate is None) != (self.tls_key is None):
      raise ValueError('Give --tls-certificate and --tls-key together.')


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)
  try:
    config = command_line.parse(TeachConfig, 'launchers.teach')
    # Caught from here on, so that a stop while it loads ends with 0 as well.
    stop = threading.Event()
    for number in STOPS:
      signal.signal(number, lambda *_: stop.set())
    from teachers import service  # gRPC, which --help does without.

    keys = _keys(config)
    address = _address(config)
    teacher = _load(config)
    server = service.serve(
      teacher, address, keys=keys, max_workers=config.workers
    )
  except (ValueError, OSError) as error:
    text = f'Refused: {command_line.describe(error)}'
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    return 2
  # Not by the console, which would fold a line that programs read.
  print(
    f'grpc://{server.address} serves {teacher.name}, version '
    f'{teacher.version}',
    file=sys.stderr, flush=True,
  )  # fmt: skip
  stop.wait()
  server.stop(config.grace)
  return 0


def _address(config: TeachConfig) -> str:
  from teachers import credentials

  host = f'[{config.host}]' if ':' in config.host else config.host
  address = f'{host}:{config.port}'
  credentials.check_exposure(
    address,
    config.tls_certificate is not None,
    config.token_file is not None,
    'Leave out --host, or give --tls-certificate, --tls-key and --token-file.',
  )
  return address


def _keys(config: TeachConfig) -> 'ServerKeys':
  from teachers import credentials

  token = credentials.read_token(config.token_file) if config.token_file else ''
  if config.tls_certificate is None or config.tls_key is None:
    return credentials.ServerKeys(token=token)
  return credentials.read_keys(config.tls_certificate, config.tls_key, token)


def _load(config: TeachConfig) -> Teacher:
  from launchers.acting import places  # MuJoCo.

  task = task_of(config.teacher, config.task)
  environment = places.describe(task, config.action_bound)
  return registry.load(config.teacher, environment.task)


if __name__ == '__main__':
  sys.exit(main())
