"""What a run's directory takes, and what is left in it, from start to start."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

from tests.launchers import harness
from tests.launchers.harness import ROOT, Run

pytestmark = [pytest.mark.processes, pytest.mark.long]

DECAY = {
  'objective__kind': 'bc_decay',
  'objective__decay_rate': 1.0,
}
ONE = {'cycles': 1, 'actor_steps': 80, 'learner_steps': 40}


def test_appended_cycles_are_those_of_a_longer_run(tmp_path: Path) -> None:
  """Alpha falls over the steps of the first command, and stays there."""
  for name in ('short', 'long'):
    (tmp_path / name).mkdir()
  short = harness.complete(tmp_path / 'short', **DECAY, **ONE)
  first = harness.final_policies(short.directory)
  prolonged = harness.complete(tmp_path / 'short', **DECAY)
  policies = harness.final_policies(prolonged.directory)
  assert policies[:2] == first
  # The same command again, which says nothing of how alpha falls.
  again = harness.complete(tmp_path / 'short', **DECAY)
  assert harness.final_policies(again.directory) == policies
  config = json.loads((again.directory / 'config.json').read_text())
  assert len(config['history']) == 1
  assert 'cycles: 1 there, 2 here' in config['history'][0]['changed']
  whole = harness.complete(
    tmp_path / 'long', **DECAY, objective__decay_steps=40
  )
  assert harness.final_policies(whole.directory) == policies


def test_what_may_change_changes_no_policy(
  tmp_path: Path, reference: Run
) -> None:
  changes = {
    'checkpoint_interval': 7,
    'evaluation__interval': 33,
    'evaluation__episodes': 2,
    'evaluation__final_episodes': 1,
    'max_refused_fraction': 0.5,
  }
  with harness.launched(tmp_path) as run:
    run.wait_for(lambda: run.metrics(1))
    run.process.kill()
    run.process.wait()
  run = harness.complete(tmp_path, **changes)
  assert harness.final_policies(run.directory) == harness.final_policies(
    reference.directory
  )
  config = json.loads((run.directory / 'config.json').read_text())
  assert len(config['history'][0]['changed']) == len(changes)


def test_the_dead_leave_nothing(
  tmp_path: Path, reference: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Nor does a proxy keep the nodes from each other."""
  temporary = tmp_path / 'tmp'
  temporary.mkdir()
  monkeypatch.setenv('TMPDIR', str(temporary))
  for name in ('http_proxy', 'https_proxy', 'grpc_proxy'):
    monkeypatch.setenv(name, 'http://127.0.0.1:9')
  with harness.launched(tmp_path) as run:
    run.wait_for(lambda: run.metrics(1))
    run.process.kill()
    run.process.wait()
  aside = [
    run.directory / '.config.json.0123456789abcdef.aside',
    run.directory / 'cycles/000/.cycle.json.0123456789abcdef.aside',
  ]
  for path in aside:
    path.write_text('{')
  assert list(run.directory.glob('tmp/*'))
  finished = harness.complete(tmp_path)
  assert not list(temporary.iterdir())
  assert not (run.directory / 'tmp').exists()
  assert not list(run.directory.rglob('*.aside'))
  assert harness.final_policies(finished.directory) == harness.final_policies(
    reference.directory
  )


@pytest.mark.parametrize(
  'wrong',
  [
    {'task': 'cartpole-swingupp'},
    {'start': 'nowhere'},
    {'demonstrations__path': 'nowhere'},
    {'UNDERSTUDY_SILENCE': 'soon'},
  ],
)
def test_a_typo_leaves_its_name_free(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
  said = next(iter(wrong.values()))
  if 'UNDERSTUDY_SILENCE' in wrong:
    monkeypatch.setenv('UNDERSTUDY_SILENCE', said)
    wrong = {}
  refused = subprocess.run(
    [
      sys.executable, '-m', 'launchers.growing_batch',
      *harness.arguments(tmp_path, **wrong),
    ],
    cwd=ROOT, capture_output=True, text=True, timeout=60,
  )  # fmt: skip
  assert refused.returncode == 2, refused.stderr
  assert said in refused.stderr
  assert 'Traceback' not in refused.stderr
  assert not (tmp_path / 'tiny').exists()
