"""docs/real-systems.md, as it stands; and with a kill at each step."""

import contextlib
import json
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from launchers.runs import standing
from launchers.runs.run_directory import RunDirectory
from tests.tree import ROOT

TEXT = (ROOT / 'docs' / 'real-systems.md').read_text(encoding='utf-8')
BLOCKS = re.findall(r'```sh\n(.*?)```', TEXT, re.DOTALL)


def environment() -> dict[str, str]:
  """With `python` the one that runs this."""
  path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
  return {**os.environ, 'PATH': path, 'UNDERSTUDY': str(ROOT)}


def start(script: str, directory: Path) -> 'subprocess.Popen[str]':
  return subprocess.Popen(
    ['bash', '-euc', script], cwd=directory, env=environment(), text=True,
    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
  )  # fmt: skip


def do(script: str, directory: Path) -> str:
  process = start(script, directory)
  output, _ = process.communicate(timeout=400)
  assert process.returncode == 0, output
  return output


def test_the_links_lead_somewhere() -> None:
  for link in re.findall(r'\]\(([^)#]+)\)', TEXT):
    assert (ROOT / 'docs' / link).exists(), link


@pytest.mark.long
@pytest.mark.timeout(900)
def test_it_goes_round_three_times(tmp_path: Path) -> None:
  outputs = [do(block, tmp_path) for block in BLOCKS]
  now = standing.of(RunDirectory(tmp_path / 'runs' / 'tanks'))
  assert now.is_done
  assert 'It waits for 20 episodes of cycle 0' in outputs[1]
  assert 'It waits for 20 episodes of cycle 1' in outputs[2]
  assert 'It waits for 20 episodes of cycle 2' in outputs[3]
  assert 'Done: cycles 0 to 3.' in outputs[4]
  assert (tmp_path / 'policy-final' / 'policy.h').exists()
  last = json.loads(outputs[4].strip().splitlines()[-1])
  assert (last['is_done'], last['missing']) == (True, 0)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_kill_at_each_step_changes_nothing(tmp_path: Path) -> None:
  calm, rough = tmp_path / 'calm', tmp_path / 'rough'
  for directory in (calm, rough):
    directory.mkdir()
    script = '\n'.join(BLOCKS[:2]).replace('--learner-steps 3000', (
      '--learner-steps 1500 --checkpoint-interval 100'
    ))  # fmt: skip
    do(script, directory)
  ingest = 'python -m launchers.ingest runs/tanks {} {}'
  first = ingest.format('operator.csv', '--columns columns.toml')
  for directory in (calm, rough):
    kill(first, directory, directory is rough, 'runs/tanks/cycles/000/inbox/*')
    kill('bash run.sh', directory, directory is rough, '*/*/*/*/metrics.csv')
  # The plant of both is one: its logs are what must not depend on kills.
  do(BLOCKS[3].replace('bash run.sh', ''), calm)
  shutil.copytree(calm / 'logs-1', rough / 'logs-1')
  second = ingest.format('logs-1', '')
  kill(second, rough, True, 'runs/tanks/cycles/001/inbox/*')
  for directory in (calm, rough):
    kill('bash run.sh', directory, directory is rough, '*/*/*/001/metrics.csv')
  for name in ('cycles/000/policy.npz', 'cycles/001/policy.npz'):
    one, other = ((d / 'runs/tanks' / name).read_bytes() for d in (calm, rough))
    assert one == other, name


def kill(script: str, directory: Path, is_rough: bool, sign: str) -> None:
  """Does it; a rough one is killed, with all its processes, amid its work."""
  if is_rough:
    process = start(script, directory)
    deadline = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < deadline:
      if any(directory.glob(sign)):
        break
      time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):  # It was quicker.
      os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
  do(script, directory)
