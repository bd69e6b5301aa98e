"""What a command imports to say what it does: only what it takes to say it."""

import subprocess
import sys

import pytest

from tests.tree import ROOT

# Each takes a quarter of a second or more; with all of them, help takes eight.
SLOW = ('dm_control', 'grpc', 'matplotlib', 'mujoco', 'pandas', 'tensorflow')
COMMANDS = (
  'annotate',
  'approve',
  'demonstrate',
  'cycle',
  'evaluate',
  'exclude',
  'export',
  'export_data',
  'fit_reward',
  'growing_batch',
  'ingest',
  'join',
  'offline',
  'online',
  'recipe',
  'report',
  'rollback',
  'status',
  'study',
  'study_cell',
  'submit',
  'submit_study',
  'teach',
)
PROGRAM = """
import runpy, sys
name, sys.argv = sys.argv[1], [sys.argv[1], '--help']
try:
  runpy.run_module(name, run_name='__main__')
except SystemExit as end:
  assert not end.code, end.code
print('imported:', *{module.split('.')[0] for module in sys.modules})
"""


@pytest.mark.parametrize('name', COMMANDS)
def test_help_imports_nothing_slow(name: str) -> None:
  result = subprocess.run(
    [sys.executable, '-c', PROGRAM, f'launchers.{name}'],
    cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
  )  # fmt: skip
  *text, last = result.stdout.splitlines()
  assert any('--help' in line for line in text)
  assert not set(SLOW) & set(last.split())
  assert not result.stderr
