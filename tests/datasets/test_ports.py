"""One server a port."""

import os
import socket
import subprocess
import sys

import pytest

from datasets.ports import PortInUseError, PortLock, check_port


@pytest.fixture
def port():
  with socket.socket() as probe:
    probe.bind(('127.0.0.1', 0))
    return probe.getsockname()[1]


def test_a_lock_is_exclusive(port):
  lock = PortLock(port)
  for take in (PortLock, check_port):
    with pytest.raises(PortInUseError, match=rf'{port}.*{os.getpid()}.*python'):
      take(port)
  lock.release()
  lock.release()
  check_port(port)
  PortLock(port).release()


def test_a_lock_dies_with_its_process(port):
  code = f"""
import os, signal
from datasets.ports import PortLock
lock = PortLock({port})
os.kill(os.getpid(), signal.SIGKILL)
"""
  subprocess.run([sys.executable, '-c', code])
  PortLock(port).release()


@pytest.mark.parametrize('address', ['127.0.0.1', '0.0.0.0', '::1', '::'])
@pytest.mark.parametrize('shares', [False, True])
def test_a_foreign_listener(address, shares):
  family = socket.AF_INET6 if ':' in address else socket.AF_INET
  with socket.socket(family) as listener:
    option = socket.SO_REUSEPORT if shares else socket.SO_REUSEADDR
    listener.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
      listener.bind((address, 0))
    except OSError:
      pytest.skip('No such address here.')
    listener.listen()
    port = listener.getsockname()[1]
    with pytest.raises(PortInUseError, match=f'{port}'):
      check_port(port)
  check_port(port)


def test_connections_that_linger_are_no_obstacle(port):
  with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('127.0.0.1', port))
    listener.listen()
    with socket.create_connection(('127.0.0.1', port)) as client:
      accepted, _ = listener.accept()
      accepted.close()  # The side that closes first lingers.
      client.recv(1)
  check_port(port)
