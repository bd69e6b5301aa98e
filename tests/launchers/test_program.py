"""A whole run as real processes, undisturbed."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from agents.deployed.policy import Policy
from datasets.store import EpisodeStore
from launchers.environments.suite import TASKS, Environment
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from tests.launchers import harness

pytestmark = pytest.mark.processes


def rows(path: Path) -> list[dict[str, str]]:
  with path.open() as file:
    return list(csv.DictReader(file))


def test_it_ends_with_its_result(reference: harness.Run) -> None:
  result = reference.result()
  assert set(result) == {'teacher_return', 'returns', 'wall_seconds', 'run'}
  assert len(result['returns']) == 3
  assert Path(result['run']) == reference.directory
  page = reference.directory / 'report/index.html'
  assert '<html' in page.read_text()


def test_each_cycle_has_exactly_its_share(reference: harness.Run) -> None:
  """A-I10: k * episodes_per_cycle * T items, all of pi_0 … pi_{k-1}."""
  harness.check_counts(reference.directory)
  directory = RunDirectory(reference.directory)
  for cycle in (1, 2):
    behaviour = directory.policy(cycle - 1)
    assert behaviour is not None
    episodes = list(directory.store(cycle))
    assert [episode.num_steps for episode in episodes] == [40, 40]
    assert {episode.policy for episode in episodes} == {behaviour.digest}


def test_demonstrations_carry_clean_labels(reference: harness.Run) -> None:
  teacher = harness.random_policy(0)
  settled = json.loads((reference.directory / 'demonstrator.json').read_text())
  for episode in EpisodeStore(reference.directory / 'demonstrations'):
    assert episode.annotation is not None
    assert episode.annotation.version == settled['version'] == episode.policy
    assert episode.annotation.teacher == settled['name']
    difference = episode.actions - episode.annotation.actions
    assert 0 < abs(difference).max() < 1
    for observation, action in zip(
      episode.observations, episode.annotation.actions, strict=False
    ):
      assert teacher(observation) == pytest.approx(action, abs=1e-6)


def test_each_cycle_learns_its_share(reference: harness.Run) -> None:
  """A-I11: the learner steps, and one evaluation where one is due."""
  cycles = reference.directory / 'cycles'
  steps = [
    [int(r['step']) for r in rows(cycles / f'00{k}/metrics.csv')]
    for k in (1, 2)
  ]
  assert steps == [[20, 40], [60, 80]]
  evaluations = [
    (int(r['step']), r['kind'], int(r['episodes']))
    for k in (1, 2)
    for r in rows(cycles / f'00{k}/evaluation.csv')
  ]
  assert sorted(evaluations) == sorted(
    [(step, 'interval', 1) for step in (20, 40, 60, 80)]
    + [(40, 'final', 2), (80, 'final', 2)]
  )


def test_the_schedule_ends_with_the_budget(reference: harness.Run) -> None:
  """A-I6, of the run: alpha falls from 1 towards 0 over all cycles."""
  cycles = reference.directory / 'cycles'
  alphas = [
    float(row['alpha'])
    for k in (1, 2)
    for row in rows(cycles / f'00{k}/metrics.csv')
  ]
  assert alphas == sorted(alphas, reverse=True)
  assert alphas[0] < 1
  assert 0 < alphas[-1] < 0.2


def test_the_same_command_again_changes_nothing(
  reference: harness.Run,
) -> None:
  before = {
    path: path.read_bytes() for path in reference.directory.rglob('*.npz')
  }
  words = harness.arguments(reference.directory.parent)
  again = harness.Run(reference.directory.parent, words)
  assert again.wait(30) == 0
  assert again.result()['returns'] == reference.result()['returns']
  for path, data in before.items():
    assert path.read_bytes() == data


@pytest.mark.long
@pytest.mark.parametrize('changes', [{'launch_type': 'threads'}])
def test_the_same_seed_gives_the_same_weights(
  tmp_path: Path, reference: harness.Run, changes: dict[str, Any]
) -> None:
  """In threads of one process, and from another directory."""
  run = harness.complete(tmp_path, **changes)
  assert harness.final_policies(run.directory) == harness.final_policies(
    reference.directory
  )
  for cycle in (1, 2):
    batch = f'cycles/00{cycle}/batch.json'
    assert json.loads((run.directory / batch).read_text()) == json.loads(
      (reference.directory / batch).read_text()
    )


@pytest.mark.long
def test_several_actors_and_imported_demonstrations(
  tmp_path: Path, reference: harness.Run
) -> None:
  run = harness.complete(
    tmp_path,
    num_actors=2,
    mix_demonstrations=True,
    objective__kind='between',
    demonstrations__path=reference.directory / 'demonstrations',
  )
  harness.check_counts(run.directory)
  store = EpisodeStore(run.directory / 'cycles/001/episodes')
  assert [(i.actor, i.episode) for i in store.digests()] == [(0, 0), (0, 1)]


@pytest.mark.long
def test_the_number_of_actors_changes_nothing(
  tmp_path: Path, reference: harness.Run
) -> None:
  """Not even if it is another one when the run goes on."""
  with harness.launched(tmp_path, num_actors=3) as run:
    run.wait_for((run.directory / 'cycles/000/policy.npz').exists)
    run.process.terminate()
    run.wait(15)
  run = harness.complete(tmp_path, num_actors=2)
  assert harness.final_policies(run.directory) == harness.final_policies(
    reference.directory
  )


@pytest.mark.long
def test_the_papers_size_starts_and_reports_its_rates(tmp_path: Path) -> None:
  config = GrowingBatchConfig()
  words = ['--name', 'tiny', '--runs', str(tmp_path)]
  run = harness.Run(tmp_path, words)
  try:
    run.wait_for(lambda: 'recording demonstrations' in run.output, 60)
    run.wait_for(
      lambda: any((run.directory / 'demonstrations').glob('*.npz')), 60
    )
  finally:
    run.process.terminate()
    assert run.wait(15) == 143, run.output
  written = json.loads((run.directory / 'config.json').read_text())
  assert written['learner_steps'] == config.total_learner_steps == 250_000
  assert 'To go on' in run.output


def test_published_policies_are_plain_arrays(reference: harness.Run) -> None:
  for data in harness.final_policies(reference.directory):
    policy = Policy.from_bytes(data)
    assert policy.spec == (5, 1)
    assert policy.task == Environment('cartpole-swingup').task
    assert b'pickle' not in data


@pytest.mark.long
@pytest.mark.parametrize('task', [t for t in TASKS if 'cartpole' not in t])
def test_every_task_runs_even_untaught_and_says_so(
  tmp_path: Path, task: str
) -> None:
  run = harness.complete(
    tmp_path, task=task, teacher='untrained', launch_type='threads'
  )
  harness.check_counts(run.directory)
  assert f'An untrained policy demonstrates {task}' in run.output
