"""The ways out of a private network namespace, and in, one for each address.

Whoever makes the namespace lays a Unix socket for each address that is to be
reached from inside; whoever dials the address asks here for that socket.
"""

from collections.abc import Mapping
import json
import os
import socket
from typing import Optional

_IN = '<'
_VARIABLE = 'UNDERSTUDY_RELAYS'


def way_in(address: str) -> str:
  """The name of the way from a port outside, 'host:port', to a socket inside.

  Whoever makes the namespace listens there; whoever serves listens at the
  socket that is announced by this name.
  """
  return _IN + address


def port_of(way: str) -> Optional[str]:
  """The 'host:port' of a way in; None: it is one out."""
  return way[len(_IN) :] if way.startswith(_IN) else None


def announce(sockets: Mapping[str, str]) -> None:
  """Tells this process and its children, which are cut off otherwise.

  Args:
    sockets: paths of Unix sockets by 'host:port'.
  """
  os.environ[_VARIABLE] = json.dumps(dict(sockets))


def forget() -> None:
  """Dials all addresses themselves, whatever an outer process laid."""
  os.environ.pop(_VARIABLE, None)


def announced() -> Optional[dict[str, str]]:
  """What was announced; None: nobody is cut off."""
  text = os.environ.get(_VARIABLE)
  return None if text is None else json.loads(text)


def is_up(path: str) -> bool:
  """Whether anyone answers at a socket."""
  with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
    return probe.connect_ex(path) == 0
