"""What a program runs with: its sources, packages and machine.

A number that is to be had again needs all of it. Nothing here names a person,
a host or a path.
"""

import functools
from importlib import metadata
import os
from pathlib import Path
import platform
import subprocess
from typing import Any, Optional

import psutil

UNKNOWN = 'unknown'

RESULTS = 1
"""Rises with each change that can alter what a configuration and a seed give,
[results] in CHANGELOG.md. `launchers.study --fresh` runs again what lower ones
gave; runs that are older than this number count as 0."""

_ROOT = Path(__file__).resolve().parents[2]
# Where a change can change a result; the rest is pictures, words and tests.
_SOURCES = ('agents', 'datasets', 'launchers', 'teachers', 'requirements.txt')
_PACKAGES = (
  'dm-acme', 'dm-control', 'dm-launchpad', 'dm-reverb', 'dm-sonnet', 'mujoco',
  'numpy', 'tensorflow-cpu', 'tensorflow-probability', 'trfl',
)  # fmt: skip


@functools.cache
def collect() -> dict[str, Any]:
  """What this process runs with, looked up once.

  Returns:
    commit: of the sources, or UNKNOWN outside a checkout of them; dirty:
    whether they differ from it, or None where that is unknown; python;
    packages: the installed versions by name; cpu; cores; memory_gib; results:
    RESULTS.
  """
  commit, dirty = sources(_ROOT)
  return {
    'commit': commit,
    'dirty': dirty,
    'python': platform.python_version(),
    'packages': {name: _version(name) for name in _PACKAGES},
    'cpu': _cpu_model(),
    'cores': len(os.sched_getaffinity(0)),
    'memory_gib': round(psutil.virtual_memory().total / 2**30, 1),
    'results': RESULTS,
  }


def sources(root: Path) -> tuple[str, Optional[bool]]:
  """Commit of a checkout, and whether what matters differs from it."""

  def git(*arguments: str) -> str:
    return subprocess.run(
      ['git', *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()

  try:
    # An installed copy may lie inside somebody else's repository.
    if Path(git('rev-parse', '--show-toplevel')) != root:
      return UNKNOWN, None
    changes = git('status', '--porcelain', '--', *_SOURCES)
    return git('rev-parse', 'HEAD'), bool(changes)
  except (OSError, subprocess.CalledProcessError):
    return UNKNOWN, None


def _version(package: str) -> str:
  try:
    return metadata.version(package)
  except metadata.PackageNotFoundError:
    return 'not installed'


def _cpu_model() -> str:
  for line in Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines():
    if line.startswith('model name'):
      return line.partition(':')[2].strip()
  return platform.processor() or UNKNOWN
