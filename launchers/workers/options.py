"""What a worker process is told; imports little, for the help of join."""

import json
from pathlib import Path
from typing import NamedTuple, Optional

from teachers import credentials
from teachers.credentials import ServerKeys


class Keys(NamedTuple):
  """What proves the run to a worker, and the worker to it.

  Attributes:
    token: that every call bears.
    certificates: PEM of those that the gateway's is signed by, or of itself;
      empty: no TLS, on this host alone.
    own: the worker's certificate and its key, where the run asks for one.
    server_name: that the gateway's is of; empty: that of its address.
  """

  token: str = ''
  certificates: bytes = b''
  own: ServerKeys = ServerKeys()
  server_name: str = ''


class KeyFiles(NamedTuple):
  """Where the keys of a worker are.

  Attributes:
    token: '' where the run asks for none.
    ca: certificates in PEM; '' for no TLS.
    certificate: the worker's own, in PEM; '' where the run asks for none.
    key: of that, in PEM.
    server_name: that the gateway's certificate is of; '' for its address's.
  """

  token: str = ''
  ca: str = ''
  certificate: str = ''
  key: str = ''
  server_name: str = ''

  @classmethod
  def of(cls, *files: Optional[Path], server_name: str = '') -> 'KeyFiles':
    """The files that a command was given, wherever it is run."""
    paths = (str(path.resolve()) if path else '' for path in files)
    return cls(*paths)._replace(server_name=server_name)

  def read(self) -> Keys:
    """What is in the files.

    Raises:
      OSError: one cannot be read.
      ValueError: one does not hold what it must.
    """
    token = credentials.read_token(Path(self.token)) if self.token else ''
    trusted = b''
    if self.ca:
      trusted = credentials.read_certificates(Path(self.ca), '--ca')
    if not self.certificate and not self.key:
      return Keys(token, trusted, server_name=self.server_name)
    if not (self.certificate and self.key and trusted):
      raise ValueError(
        '--certificate, --key and --ca go together: a worker shows its own '
        'certificate to a run whose certificate it knows. Give all three.'
      )
    certificate, key = Path(self.certificate), Path(self.key)
    own = credentials.read_keys(certificate, key, '')
    return Keys(token, trusted, own, self.server_name)


class WorkerOptions(NamedTuple):
  """What one worker process is told.

  Attributes:
    address: host:port of the gateway.
    files: of its keys.
    name: of the worker, unlike all others'.
    is_evaluator: it measures policies; else it acts.
    scratch: of this worker alone.
    parent: the process that it ends with.
  """

  address: str
  files: KeyFiles
  name: str
  is_evaluator: bool
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
    """What is in the files; see `KeyFiles.read`."""
    return self.files.read()

  def to_json(self) -> str:
    """For a process's command line."""
    return json.dumps({**self._asdict(), 'files': self.files._asdict()})

  @classmethod
  def from_json(cls, text: str) -> 'WorkerOptions':
    """What `to_json` was called on."""
    fields = json.loads(text)
    return cls(**{**fields, 'files': KeyFiles(**fields['files'])})
