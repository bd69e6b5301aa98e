"""A teacher's service as a person starts it."""

from collections.abc import Iterator
import contextlib
import os
import subprocess
import sys

from tests.launchers.harness import ROOT


@contextlib.contextmanager
def served(teacher: str, port: int) -> Iterator[subprocess.Popen]:
  """A service in a process of its own."""
  process = subprocess.Popen(
    [
      sys.executable, '-m', 'launchers.teach', '--teacher', teacher,
      '--task', 'cartpole-swingup', '--port', str(port),
    ],
    cwd=ROOT,
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
    stderr=subprocess.PIPE,
    text=True,
  )  # fmt: skip
  try:
    assert process.stderr is not None
    assert 'serves' in (line := process.stderr.readline()), line
    yield process
  finally:
    process.kill()
    process.wait()
