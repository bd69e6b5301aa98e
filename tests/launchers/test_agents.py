"""What holds for a run of D4PG holds for one of every agent."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from agents import registry
from tests.launchers import harness

pytestmark = [pytest.mark.processes, pytest.mark.long]

# Those of runs, the most demanding objective first. The tests of the program
# are about D4PG.
KINDS = [
  kind
  for kind in registry.KINDS
  if kind != 'd4pg' and registry.find(kind).objectives
]
OBJECTIVES = ('teacher_grad', 'q_filter', 'none')


def options(kind: str) -> dict[str, Any]:
  """A run that can be hit in each of its cycles: five reports in each."""
  entry = registry.find(kind)
  fields = {field.name for field in dataclasses.fields(entry.config)}
  small: dict[str, Any] = {
    f'agent__{name}': (8, 8) for name in fields if name.endswith('layer_sizes')
  }
  ours = [name for name in OBJECTIVES if name in entry.objectives]
  return {
    **{key: None for key in harness.TINY if key.startswith('agent.')},
    **small,
    'agent__kind': kind,
    'agent__batch_size': 8,
    'objective__kind': ours[0],
    'learner_steps': 500,
    'evaluation__interval': 50,
    'checkpoint_interval': 50,
  }


@pytest.mark.parametrize('kind', KINDS)
def test_kills_and_starts_change_nothing(kind: str, tmp_path: Path) -> None:
  words = options(kind)
  for name in ('calm', 'killed', 'started'):
    (tmp_path / name).mkdir()
  calm = harness.complete(
    tmp_path / 'calm',
    **{'no-report': None, 'report': True},
    launch_type='threads',
    **words,
  )
  harness.check_counts(calm.directory)
  page = (calm.directory / 'report/index.html').read_text()
  assert page.count('data:image/png') >= 2
  published = harness.final_policies(calm.directory)
  assert len(set(published)) == 3

  killed = tmp_path / 'killed'
  with harness.launched(killed, **words) as run:
    run.wait_for(lambda: run.metrics(0) >= 1)
    run.kill('learner')
    assert run.wait(60) == 1, run.output
  with harness.launched(killed, **words) as run:
    run.wait_for(lambda: run.metrics(2) >= 1)
    run.process.kill()
  again = harness.complete(killed, **words)
  harness.check_counts(again.directory)
  assert harness.final_policies(again.directory) == published

  started = harness.complete(
    tmp_path / 'started',
    start=calm.directory,
    launch_type='threads',
    **words,
  )
  assert 'Cycle 0 is that of' in started.output
  assert harness.final_policies(started.directory) == published
  assert started.result()['returns'] == calm.result()['returns']
