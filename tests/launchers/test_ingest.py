"""A run on a system that is only described, while it is up."""

import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from launchers.cycle import CycleConfig, show
from tests.launchers.harness import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.long]
TANKS = ROOT / 'examples' / 'two_tanks'
WORDS = (
  '--task', 'two-tanks.toml', '--name', 'tanks', '--cycles', '1',
  '--actor-steps', '150', '--learner-steps', '40', '--agent.batch-size', '8',
  '--critic-pretrain-steps', '20', '--cloning.steps', '20',
  '--demonstrations.episodes', '3', '--agent.vmin', '0', '--agent.vmax', '20',
  '--agent.policy-layer-sizes', '8', '8', '--no-report',
  '--agent.critic-layer-sizes', '8', '8', '--cloning.batch-size', '8',
)  # fmt: skip


def start(directory: Path, module: str, *words: str) -> 'subprocess.Popen[str]':
  path = f'{ROOT}:{directory}'
  return subprocess.Popen(
    [sys.executable, '-m', f'launchers.{module}', *words], cwd=directory,
    env={**os.environ, 'PYTHONPATH': path}, text=True, start_new_session=True,
    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
  )  # fmt: skip


def do(directory: Path, module: str, *words: str, code: int = 0) -> str:
  """A command to its end; what it said to a person."""
  process = start(directory, module, *words)
  output, said = process.communicate(timeout=300)
  assert process.returncode == code, said
  return said + output


@pytest.fixture
def plant(tmp_path: Path) -> Path:
  """A directory with its description and its operator's log."""
  for name in ('two-tanks.toml', 'columns.toml', 'plant.py'):
    (tmp_path / name).write_bytes((TANKS / name).read_bytes())
  subprocess.run(
    [sys.executable, 'plant.py', 'log.csv', '--batches', '5'],
    cwd=tmp_path, check=True,
  )  # fmt: skip
  return tmp_path


def test_it_takes_what_comes_while_it_is_up(plant: Path) -> None:
  run = start(plant, 'growing_batch', *WORDS)
  directory = plant / 'runs' / 'tanks'
  try:
    wait(run, directory / 'logs' / '001' / 'curator')
    ingest = ('runs/tanks', 'log.csv', '--columns', 'columns.toml')
    said = do(plant, 'ingest', *ingest)
    assert '3 new episodes, 0 known, 0 refused, 2 more' in said
    wait(run, directory / 'cycles' / '000' / 'policy.npz')
    digest = show(CycleConfig(directory), Console(quiet=True))['policy']
    said = do(plant, 'ingest', *ingest, code=1)
    assert 'does not say which policy acted' in said
    said = do(plant, 'ingest', *ingest, '--policy', digest)
    assert '3 new episodes' in said
    output, screen = run.communicate(timeout=200)
  finally:
    with contextlib.suppress(ProcessLookupError):
      os.killpg(run.pid, signal.SIGKILL)
  assert run.returncode == 0, screen
  assert 'Episodes come from outside' in screen
  record = json.loads((directory / 'cycles/001/cycle.json').read_text())
  assert (record['episodes'], record['steps']) == (3, 150)
  assert json.loads(output)['returns'] == [None, None]


def test_it_ends_where_it_has_to_wait(plant: Path) -> None:
  said = do(plant, 'growing_batch', *WORDS, '--no-wait')
  assert 'It waits for 3 episodes of cycle 0' in said
  said = do(plant, 'growing_batch', *WORDS, '--gateway.address', '[::1]:0',
            code=2)  # fmt: skip
  assert 'no worker can act in it' in said
  text = (plant / 'two-tanks.toml').read_text()
  (plant / 'two-tanks.toml').write_text(text.replace('1.5', '1.6'))
  said = do(plant, 'growing_batch', *WORDS, '--no-wait', code=2)
  assert "the high of 'level'[0] is 1.6, not 1.5" in said


def wait(run: 'subprocess.Popen[str]', path: Path) -> None:
  """Until there is a file."""
  while not any(path.parent.glob(f'{path.name}*')):
    with contextlib.suppress(subprocess.TimeoutExpired):
      run.wait(0.1)
      raise AssertionError(run.communicate())
