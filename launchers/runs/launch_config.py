"""How a run is run this time; none of it changes a result."""

import dataclasses
from pathlib import Path
from typing import Literal, Optional

from datasets import bounds
from teachers.credentials import (
  ServerKeys,
  check_exposure,
  read_certificates,
  read_keys,
  read_token,
)


@dataclasses.dataclass(frozen=True)
class GatewayOptions:
  """Where workers on other hosts join a run; see launchers.join."""

  address: str = ''
  """host:port to listen on, the one port that a network can reach; empty: the
  run is this host's alone. Beyond 127.0.0.1 it takes all of what follows."""
  tls_certificate: Optional[Path] = None
  """The certificate by which workers know this host, in PEM."""
  tls_key: Optional[Path] = None
  """Its private key, in PEM without a password."""
  token_file: Optional[Path] = None
  """A file with the token that every worker must bear."""
  client_ca: Optional[Path] = None
  """Certificates in PEM: every worker must also show one of its own that one of
  these has signed (mutual TLS)."""
  announce: Optional[Path] = None
  """A file in which host:port stands while the gateway listens, for workers
  that share the disk and cannot know where an engine has placed the run."""

  def __post_init__(self) -> None:
    """Refuses keys that would protect nothing."""
    keys = self.tls_certificate or self.tls_key or self.token_file
    given = keys or self.client_ca or self.announce
    if given and not self.address:
      raise ValueError(
        f'{given} is for a gateway, and there is no --gateway.address: give '
        'the host:port on which workers join, or leave it out.'
      )

  def keys(self) -> ServerKeys:
    """What is in the files.

    Raises:
      OSError: one cannot be read.
      ValueError: the address is none, or the files do not hold what they must.
    """
    if not self.address:
      return ServerKeys()
    token = read_token(self.token_file) if self.token_file else ''
    if (self.tls_certificate is None) != (self.tls_key is None):
      raise ValueError(
        '--gateway.tls-certificate and --gateway.tls-key are a pair: give both.'
      )
    keys = ServerKeys(token=token)
    if self.tls_certificate is not None and self.tls_key is not None:
      keys = read_keys(self.tls_certificate, self.tls_key, token)
    if self.client_ca is not None:
      if not keys.certificate:
        raise ValueError(
          '--gateway.client-ca needs --gateway.tls-certificate and '
          '--gateway.tls-key: certificates are shown over TLS.'
        )
      clients = read_certificates(self.client_ca, '--gateway.client-ca')
      keys = keys._replace(clients=clients)
    check_exposure(
      self.address, bool(keys.certificate), bool(token),
      'Give --gateway.tls-certificate, --gateway.tls-key and '
      '--gateway.token-file, or listen on 127.0.0.1.',
    )  # fmt: skip
    return keys


@dataclasses.dataclass(frozen=True)
class LaunchConfig:
  """How a run is run this time; none of it changes a result."""

  runs: Path = Path('runs')
  """The directory that holds the run directories."""
  start: Optional[Path] = None
  """A run with the same options up to the end of cycle 0: that cycle is copied
  rather than computed again."""
  start_cycle: int = 0
  """The last cycle of --start that is copied, with the data and the learner of
  those up to it; the ones after it are this run's own."""
  launch_type: Literal['processes', 'threads'] = 'processes'
  """One process a node, or all nodes as threads of one process (to debug)."""
  port: int = 0
  """First of some consecutive ports: the conductor's, Reverb's, the teachers'.
  0: free ones are found, in a network namespace that only the nodes can
  reach."""
  wait: bool = True
  """Of a system that is only described: stay up while episodes are to come; if
  not, the command ends then, and the same one goes on when they have."""
  report: bool = True
  """Draw the curves and tables when the run is done."""
  gateway: GatewayOptions = GatewayOptions()

  def __post_init__(self) -> None:
    """Refuses what nobody can listen on."""
    bounds.check(self, port=bounds.PORT, start_cycle=(0, 10_000))
    if self.start_cycle and self.start is None:
      raise ValueError(
        f'--start-cycle {self.start_cycle} is of the run that --start names: '
        'give both.'
      )
