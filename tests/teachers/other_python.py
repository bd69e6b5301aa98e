"""Another CPython than ours, with grpcio and NumPy and nothing of ours."""

import fcntl
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

VERSIONS = ('3.12', '3.11', '3.13')
_READY = 'import grpc, numpy; print("ready")'
_FITS = 'import ensurepip, sys; print("%d.%d" % sys.version_info[:2])'


def python(config: pytest.Config) -> Path:
  """An interpreter in a virtual environment that is kept between sessions.

  Skips the test when this machine has no other CPython.
  """
  version, base = _find()
  directory = Path(config.cache.mkdir(f'python-{version}'))
  interpreter = directory / 'bin' / 'python'
  with open(directory / 'lock', 'w', encoding='utf-8') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # Of the other workers of this session.
    if _output(interpreter, _READY) != 'ready':
      for command in (
        [base, '-m', 'venv', str(directory)],
        [str(interpreter), '-m', 'pip', 'install', '-q', 'grpcio', 'numpy'],
      ):
        subprocess.run(command, check=True, timeout=300)
  return interpreter


def _find() -> tuple[str, str]:
  pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'))
  for version in VERSIONS:
    candidates = [
      *sorted(pyenv.glob(f'versions/{version}.*/bin/python')),
      Path(shutil.which(f'python{version}') or ''),
    ]
    for candidate in candidates:
      if _output(candidate, _FITS) == version:
        return version, str(candidate)
  pytest.skip(
    f'NOT TESTED: a teacher under another Python. None of {VERSIONS} with '
    f'ensurepip is here; this one is {sys.version.split()[0]}.'
  )


def _output(interpreter: Path, program: str) -> str:
  if not interpreter.is_file():
    return ''
  return subprocess.run(
    [str(interpreter), '-c', program],
    capture_output=True, text=True, timeout=60, check=False,
  ).stdout.strip()  # fmt: skip
