"""Environments of other Pythons, which peers that do not fit ours need.

Each is made once, under `.peer_cache/`, by the CPython that it names and pip as
it is configured on this machine.
"""

import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import NamedTuple

from benchmarks import common

_DIRECTORY = common.ROOT / '.peer_cache'
_TIMEOUT = 1800.0  # Seconds for pip.


class Environment(NamedTuple):
  """What a peer needs.

  Attributes:
    name: of its directory.
    versions: Pythons that will do, the best first.
    requirements: what pip installs.
  """

  name: str
  versions: tuple[str, ...]
  requirements: tuple[str, ...]


# This release of PyTorch has CPU builds for this Python on some machines, where
# any other would be one for GPUs, of several GB.
D3RLPY = Environment('d3rlpy', ('3.11',), ('torch==2.13.0', 'd3rlpy==2.8.1'))
JAX = Environment('jax', ('3.13', '3.12', '3.11'), ('jax',))


def python(environment: Environment) -> Path:
  """The interpreter of an environment, which is made if it is not there.

  Raises:
    RuntimeError: this machine has none of the Pythons, or pip failed.
  """
  directory = _DIRECTORY / environment.name
  interpreter, made = directory / 'bin' / 'python', directory / 'requirements'
  wanted = '\n'.join(environment.requirements)
  if not made.is_file() or made.read_text(encoding='utf-8') != wanted:
    print(
      f'making {directory.relative_to(common.ROOT)} with '
      f'{", ".join(environment.requirements)} ...',
      file=sys.stderr,
      flush=True,
    )
    shutil.rmtree(directory, ignore_errors=True)
    _run([_find(environment.versions), '-m', 'venv', str(directory)])
    pip = [str(interpreter), '-m', 'pip', 'install', '--quiet']
    _run([*pip, *environment.requirements])
    made.write_text(wanted, encoding='utf-8')
  return interpreter


def _run(command: list[str]) -> None:
  result = subprocess.run(
    command, capture_output=True, text=True, timeout=_TIMEOUT
  )
  if result.returncode:
    end = '\n'.join((result.stdout + result.stderr).splitlines()[-20:])
    raise RuntimeError(f'{" ".join(command)} failed:\n{end}')


def _find(versions: tuple[str, ...]) -> str:
  """A CPython that can make environments, of pyenv or on the path."""
  pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'))
  for version in versions:
    on_path = shutil.which(f'python{version}')
    for candidate in (
      *sorted(pyenv.glob(f'versions/{version}.*/bin/python')),
      *([Path(on_path)] if on_path else []),
    ):
      check = [str(candidate), '-c', 'import ensurepip']
      if not subprocess.run(check, capture_output=True).returncode:
        return str(candidate)
  raise RuntimeError(
    f'None of CPython {", ".join(versions)} with ensurepip is on this machine; '
    'a peer needs one. Install it, or put it on PATH.'
  )
