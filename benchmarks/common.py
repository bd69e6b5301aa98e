"""What every benchmark does: sides in processes of their own, one JSON line.

A side is one of the things compared. It runs in a process of its own, so that
what one side imports, allocates or leaves running costs no other one anything:

    python -m benchmarks.acting              # all sides, then the result
    python -m benchmarks.acting --side=acme  # one side; its last line is JSON
"""

from collections.abc import Mapping, Sequence
import importlib.metadata
import json
import os
from pathlib import Path
import platform
import subprocess
import sys
import time
from typing import Any

from launchers.hosts import process

ROOT = Path(__file__).resolve().parent.parent

_TIMEOUT = 3600.0  # Seconds for one side; then it hangs.
_PACKAGES = ('tensorflow-cpu', 'dm-acme', 'dm-reverb', 'dm-launchpad', 'numpy')


def prepare() -> None:
  """Sets what must be set before TensorFlow or MuJoCo is imported."""
  path = os.environ.get('PYTHONPATH', '')
  os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, (str(ROOT), path)))
  os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  os.environ.setdefault('MUJOCO_GL', 'disabled')
  process.bypass_proxies()


def machine() -> dict[str, Any]:
  """What was measured on. The load says whether the machine was idle."""
  model = platform.processor()
  for line in Path('/proc/cpuinfo').read_text().splitlines():
    if line.startswith('model name'):
      model = line.partition(':')[2].strip()
      break
  return {
    'cpu': model,
    'cores': len(os.sched_getaffinity(0)),
    'memory_gib': round(
      os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30, 1
    ),
    'load_1min': round(os.getloadavg()[0], 2),
    'python': platform.python_version(),
    'packages': {name: importlib.metadata.version(name) for name in _PACKAGES},
    'onednn': os.environ.get('TF_ENABLE_ONEDNN_OPTS', '0') == '1',
  }


def run_side(
  module: str, side: str, arguments: Sequence[str] = ()
) -> dict[str, Any]:
  """Runs one side in a new process.

  Args:
    module: 'benchmarks.acting'.
    side: its --side.
    arguments: further ones.

  Returns:
    The JSON of its last line, and `wall_seconds` from its start to its end.

  Raises:
    RuntimeError: it failed; with the end of its output.
  """
  command = [sys.executable, '-m', module, f'--side={side}', *arguments]
  return run_command(command)


def run_command(command: Sequence[str]) -> dict[str, Any]:
  """Like run_side, for any command whose last line of output is JSON."""
  started = time.perf_counter()
  result = subprocess.run(
    command,
    cwd=ROOT,
    stdin=subprocess.DEVNULL,
    capture_output=True,
    text=True,
    timeout=_TIMEOUT,
  )
  seconds = time.perf_counter() - started
  lines = result.stdout.strip().splitlines()
  if result.returncode or not lines:
    end = '\n'.join((result.stdout + result.stderr).splitlines()[-20:])
    raise RuntimeError(
      f'{" ".join(command)} ended with exit code {result.returncode}:\n{end}'
    )
  return {**json.loads(lines[-1]), 'wall_seconds': seconds}


def report(
  title: str, lines: Mapping[str, str], result: dict[str, Any]
) -> None:
  """Prints what a person reads, and as the last line one JSON object."""
  print(title)
  width = max(map(len, lines), default=0)
  for name, text in lines.items():
    print(f'  {name:<{width}}  {text}')
  print(json.dumps({**result, 'machine': machine()}), flush=True)


def goal(value: float, least: float) -> str:
  """'12.3 (goal: at least 12: reached)'."""
  verdict = 'reached' if value >= least else 'missed'
  return f'{value:.2f} (goal: at least {least:g}: {verdict})'


def print_json(result: Mapping[str, Any]) -> None:
  """Ends a side's output."""
  print(json.dumps(result), flush=True)
