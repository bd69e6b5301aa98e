"""What a worker process is told; imports little, for the help of join."""

from pathlib import Path
from typing import NamedTuple

from teachers import credentials


class Keys(NamedTuple):
  """What proves the run to a worker, and the worker to it.

  Attributes:
    token: that every call bears.
    certificates: PEM of those that the gateway's is signed by, or of itself;
      empty: no TLS, on this host alone.
  """

  token: str = ''
  certificates: bytes = b''


class WorkerOptions(NamedTuple):
  """What one worker process is told.

  Attributes:
    address: host:port of the gateway.
    token_file: '' where the run asks for none.
    ca: certificates in PEM; '' for no TLS.
    name: of the worker, unlike all others'.
    scratch: of this worker alone.
    parent: the process that it ends with.
  """

  address: str
  token_file: str
  ca: str
  name: str
  scratch: str
  parent: int

  def check(self) -> None:
    """Looks at what is wrong before anything starts.

    Raises:
      OSError: a file cannot be read.
      ValueError: it does not hold what it must, or another host is to be asked
        without keys.
    """
    keys = self.keys()
    credentials.check_exposure(
      self.address, bool(keys.certificates), bool(keys.token),
      'Give --ca and --token-file.',
    )  # fmt: skip

  def keys(self) -> Keys:
    """What is in the files.

    Raises:
      OSError: one cannot be read.
      ValueError: one does not hold what it must.
    """
    token = (
      credentials.read_token(Path(self.token_file)) if self.token_file else ''
    )
    trusted = b''
    if self.ca:
      trusted = credentials.read_certificates(Path(self.ca), '--ca')
    return Keys(token, trusted)
