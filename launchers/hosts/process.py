"""What a process of ours does before anything else."""

from collections.abc import Callable, Iterator
import contextlib
import ctypes
import importlib
import os
from pathlib import Path
import signal
import sys
import threading
from unittest import mock

import absl.app

ROOT = Path(__file__).resolve().parents[2]
"""The repository's root, which every process has first on its path."""

WaitForStop = Callable[[float], bool]
"""Waits that many seconds, or less; whether the program stops."""

# Small matrices of one observation gain nothing from threads, and processes
# that outnumber the cores lose by them.
SINGLE_THREADED = {'OPENBLAS_NUM_THREADS': '1', 'OMP_NUM_THREADS': '1'}

REFUSED = 2
"""Exit code of a command or a node that a person has to mend something for."""
REFUSAL = 'Refused: '
"""Begins the last paragraph of such a node's output."""

_BY_SHORT_NAME = ('understudy ', 'python -m launchers ')

# Courier and Reverb would ask a proxy for a peer on this machine.
_LOOPBACK = ('localhost', '127.0.0.1', '::1', '0.0.0.0')

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


def end_with_parent(parent: int, number: signal.Signals) -> None:
  """Has the kernel send this process a signal when its parent dies.

  Raises:
    OSError: the kernel refuses.
  """
  libc = ctypes.CDLL(None, use_errno=True)
  if libc.prctl(_PR_SET_PDEATHSIG, number) != 0:
    raise OSError(ctypes.get_errno(), 'prctl(PR_SET_PDEATHSIG)')
  if parent and os.getppid() != parent:
    sys.exit('The launcher died before this process was up.')


class NodeRefusedError(Exception):
  """A node cannot go on before a person has mended what the message says."""


@contextlib.contextmanager
def refusing(*errors: type[Exception]) -> Iterator[None]:
  """Ends a node by what a person is to mend, with that alone for its words.

  Args:
    *errors: whose messages are for a person; any other one is a fault of ours,
      and leaves its traceback.

  Raises:
    NodeRefusedError: in a thread; a process ends with the exit code REFUSED.
  """
  try:
    yield
  except errors as error:
    if threading.current_thread() is not threading.main_thread():
      raise NodeRefusedError(str(error)) from error
    print(f'\n{REFUSAL}{error}\n', file=sys.stderr, flush=True)
    sys.exit(REFUSED)


def enter_node(name: str) -> None:
  """Ties a node's process to the launcher's; does nothing in a thread.

  The process gets the node's name, as `ps -o comm` and `top` show it.

  The kernel kills the node when the launcher dies, however it dies: nothing
  durable is ever half written, so there is nothing to tidy up. Ctrl-C reaches
  every process of the terminal; only the launcher answers it, with a SIGTERM.
  """
  if threading.current_thread() is not threading.main_thread():
    return
  launcher = int(os.environ.get('UNDERSTUDY_LAUNCHER', '0'))
  end_with_parent(launcher, signal.SIGKILL)
  ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())
  signal.signal(signal.SIGINT, signal.SIG_IGN)


def import_function(path: str) -> Callable[..., None]:
  """Imports 'module:function' inside a Launchpad node.

  Launchpad runs nodes inside `absl.app.run`. There TensorFlow 2.8 would start
  its runtime in the middle of its own import (its testing tools ask absl to
  call them back once absl is up, which it is), and no `tf.while_loop` works
  afterwards. So absl takes no such requests meanwhile.
  """
  module, _, function = path.partition(':')
  with mock.patch.object(absl.app, 'call_after_init'):
    return getattr(importlib.import_module(module), function)


def prepare_environment() -> None:
  """Sets the variables that the nodes inherit.

  Raises:
    ImportError: another package called `datasets` wins over ours.
  """
  import datasets

  origin = Path(str(datasets.__file__)).resolve()
  if ROOT not in origin.parents:
    raise ImportError(
      f'`datasets` is {origin}, not ours: put {ROOT} first on PYTHONPATH.'
    )
  path = os.environ.get('PYTHONPATH', '')
  if str(ROOT) not in path.split(os.pathsep):
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, (str(ROOT), path)))
  os.environ['UNDERSTUDY_LAUNCHER'] = str(os.getpid())
  os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  os.environ.setdefault('GRPC_VERBOSITY', 'ERROR')
  # A node's output goes to a file, whose encoding is that of the locale.
  encoding, _, errors = os.environ.get('PYTHONIOENCODING', '').partition(':')
  os.environ['PYTHONIOENCODING'] = f'{encoding}:{errors or "backslashreplace"}'
  bypass_proxies()


def bypass_proxies() -> None:
  """Has whatever is on this machine be reached without a proxy.

  gRPC reads the variable in small letters; other libraries in either, the
  small ones first.
  """
  known = [os.environ.get(name, '') for name in ('no_proxy', 'NO_PROXY')]
  names = [name for text in known for name in text.split(',') if name]
  both = ','.join(dict.fromkeys([*names, *_LOOPBACK]))
  os.environ['no_proxy'] = os.environ['NO_PROXY'] = both


def program(module: str) -> str:
  """How the person called this command, for its usage and for calling it again.

  Args:
    module: the command, as `python -m` takes it; so it was called, unless
      `launchers.__main__` left its short name where Python leaves a path.
  """
  by_short_name = sys.argv[0].startswith(_BY_SHORT_NAME)
  return sys.argv[0] if by_short_name else f'python -m {module}'
