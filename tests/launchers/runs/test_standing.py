"""Where a run stands, from its files; what `launchers.cycle` makes of it."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from datasets.store import file_name
from datasets.types import EpisodeId
from launchers.cycle import CycleConfig, show
from launchers.runs import deployments, exclusions, standing
from launchers.runs.run_directory import RunDirectory
from teachers import untrained
from tests.launchers.environments.test_described import GOOD

CONFIG = {
  'task': 'kiln.toml', 'cycles': 3, 'episode_steps': 10, 'actor_steps': 90,
  'demonstrations': {'episodes': 5},
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
  directory = RunDirectory(tmp_path / 'kiln')
  directory.root.mkdir()
  directory.config.write_text(json.dumps(CONFIG))
  directory.system.write_text(GOOD)
  return directory


def publish(run: RunDirectory, cycle: int) -> str:
  policy = untrained.make(3, 1, cycle, (4,))
  run.cycle(cycle).mkdir(parents=True, exist_ok=True)
  run.publish(cycle, policy.to_bytes())
  return policy.digest


def put(run: RunDirectory, place: str, cycle: int, episode: int) -> None:
  directory = run.root / place
  directory.mkdir(parents=True, exist_ok=True)
  name = file_name(EpisodeId('kiln', cycle, 0, episode))
  (directory / name).write_bytes(b'')


def said(run: RunDirectory) -> tuple[str, dict[str, object]]:
  screen = io.StringIO()
  result = show(CycleConfig(run.root), Console(file=screen, width=200))
  return screen.getvalue(), result


def test_before_anything_has_come(run: RunDirectory) -> None:
  now = standing.of(run)
  assert (now.cycle, now.quota, now.missing) == (0, 5, 5)
  assert (now.policy, now.source, now.path) == ('', -1, run.config)
  assert (now.is_done, now.is_learned, now.is_taken_in) == (False,) * 3
  text, result = said(run)
  assert '0 of 5 episodes' in text
  assert 'python -m launchers.ingest' in text
  assert 'Deploy' not in text
  assert (result['missing'], result['is_live']) == (5, False)


def test_episodes_count_wherever_they_wait(run: RunDirectory) -> None:
  digest = publish(run, 0)
  put(run, 'cycles/001/episodes', 1, 0)
  put(run, 'cycles/001/episodes', 1, 1)
  now = standing.of(run)
  assert (now.cycle, now.quota, now.policy) == (1, 3, digest)
  assert now.present == {0, 1}
  assert not now.is_taken_in
  put(run, 'cycles/001/inbox', 1, 1)  # On its way, and there already.
  put(run, 'cycles/001/unadvised', 1, 2)
  now = standing.of(run)
  assert (now.missing, now.is_taken_in) == (0, True)
  text, _ = said(run)
  assert f'policy {digest}' in text
  assert 'launchers.export' in text
  assert 'It is not up' in text


def test_after_a_rollback_another_policy_acts(run: RunDirectory) -> None:
  first = publish(run, 0)
  publish(run, 1)
  put(run, 'cycles/002/inbox', 2, 0)
  with pytest.raises(ValueError, match='has 1 episodes'):
    deployments.roll_back(run, 3, 0, 'Ada')
  (run.cycle(2) / 'inbox').joinpath(
    file_name(EpisodeId('kiln', 2, 0, 0))
  ).unlink()
  deployments.roll_back(run, 3, 0, 'Ada')
  now = standing.of(run)
  assert (now.policy, now.source) == (first, 0)
  assert now.path == run.policy_path(0)
  assert '--cycle 0' in said(run)[0]


def test_a_person_is_waited_for(run: RunDirectory) -> None:
  publish(run, 0)
  gate = {
    'cycle': 1, 'rule': ['person'], 'verdict': 'waits for a person',
    'reason': 'A person.', 'candidate': 'abc',
  }  # fmt: skip
  run.cycle(1).mkdir()
  run.write_json(deployments.gate_path(run, 1), gate)
  assert standing.of(run).waits_for_person
  assert 'launchers.approve' in said(run)[0]
  decision = {'approved': True, 'by': 'Ada', 'time': 'now', 'candidate': 'abc'}
  run.write_json(deployments.approval_path(run, 1), decision)
  assert not standing.of(run).waits_for_person
  run.write_json(
    deployments.approval_path(run, 1), {**decision, 'candidate': 'another'}
  )
  assert standing.of(run).waits_for_person


def test_what_is_left_out_is_said_and_the_end_is(run: RunDirectory) -> None:
  for cycle in range(3):
    publish(run, cycle)
  exclusions.decide(run, 1, True, 'Ada', 'a bad sensor')
  text, result = said(run)
  assert 'Without the data of cycles 1.' in text
  assert result['excluded'] == [1]
  digest = publish(run, 3)
  now = standing.of(run)
  assert (now.is_done, now.missing, now.policy) == (True, 0, digest)
  text, _ = said(run)
  assert f'Done: cycles 0 to 3. Deploy {run.policy_path(3)}.' in text


def test_what_is_no_run(tmp_path: Path) -> None:
  with pytest.raises(FileNotFoundError, match='is no run directory'):
    standing.of(RunDirectory(tmp_path))
