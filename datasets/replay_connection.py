"""The connection to one Reverb server, and to no other."""

from collections.abc import Callable
from concurrent import futures
import socket
import time
from typing import Any, Optional, TypeVar

from datasets.reverb_client import import_reverb

COLLECTED = 'collected'
REPLAY = 'replay'
INCARNATION = 'incarnation:'
SILENT_SECONDS = 5.0  # A server that is up but silent is lost after that.
_ANSWER_SECONDS = 1  # Reverb takes whole seconds, and 0 for ever.
ResultT = TypeVar('ResultT')

reverb: Any = import_reverb()


class ReplayLostError(RuntimeError):
  """The server is gone, or is not the one that the data was given to."""


class Connection:
  """A client that knows which server it wants."""

  def __init__(
    self, address: str, table: str, incarnation: str, patience: float
  ):
    if table not in (COLLECTED, REPLAY):
      raise ValueError(f'No table {table!r}: it is {COLLECTED} or {REPLAY}.')
    self._address = address
    self._incarnation = incarnation
    self._patience = patience
    self._silent_since: Optional[float] = time.monotonic()
    self._was_reached = False
    self._client: Any = None
    self._caller = futures.ThreadPoolExecutor(1, 'reverb')

  @property
  def client(self) -> Any:
    """Reverb's client."""
    if self._client is None:
      self._client = reverb.Client(self._address)
    return self._client

  def call(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
    """Calls a function of Reverb that may block, for a second at most.

    In the main thread it would keep signals waiting meanwhile, and a handler
    that raises (as Ctrl-C's does) would crash the process: Reverb's extension
    does not survive that. So another thread calls it.
    """
    return self._caller.submit(function, *args).result()

  def tables(self) -> Optional[dict[str, Any]]:
    """The state of the tables, or None if there is no answer at present."""
    started = time.monotonic()
    listens = self._was_reached or self._listens()
    if listens:
      try:
        tables = self.call(self.client.server_info, _ANSWER_SECONDS)
      except (RuntimeError, reverb.errors.ReverbError):
        listens = self._listens()
      else:
        self._check_incarnation(tables)
        self._was_reached, self._silent_since = True, None
        return tables
    if self._silent_since is None:
      self._silent_since = started
    silence = time.monotonic() - self._silent_since
    bound = SILENT_SECONDS if self._was_reached else self._patience
    if (self._was_reached and not listens) or silence > bound:
      raise self.lost(
        f'it has not answered for {silence:.0f} s'
        if listens
        else 'nothing listens there'
      )
    return None

  def await_answer(self) -> None:
    """Waits for the server; raises ReplayLostError where it is in vain."""
    while self.tables() is None:
      time.sleep(0.05)

  def lost(self, reason: str) -> ReplayLostError:
    """The error that says so."""
    return ReplayLostError(
      f'The Reverb server {self._incarnation} at {self._address} is lost: '
      f'{reason}. Start the program again: what was committed is in the store, '
      'and Reverb is filled anew from it.'
    )

  def _check_incarnation(self, tables: dict[str, Any]) -> None:
    if INCARNATION + self._incarnation not in tables:
      found = [name for name in tables if name.startswith(INCARNATION)]
      raise self.lost(
        'another server is there now, '
        + (found[0].removeprefix(INCARNATION) if found else 'a foreign one')
      )

  def _listens(self) -> bool:
    """Asks the kernel: gRPC would retry, ever more slowly."""
    host, _, port = self._address.rpartition(':')
    try:
      socket.create_connection((host.strip('[]'), int(port)), 1.0).close()
    except OSError:
      return False
    return True
