"""Runs that began before anything carried its task go on."""

import json
from pathlib import Path
import shutil

import pytest

from agents.deployed.policy import Policy
from datasets.store import EpisodeStore, digest_of
from launchers.environments.suite import Environment
from launchers.runs.run_directory import RunDirectory
from tests.launchers import counting, harness

pytestmark = [pytest.mark.processes, pytest.mark.long]

TASK = Environment('cartpole-swingup').task


def forget_tasks(directory: RunDirectory, cycle: int) -> None:
  """Leaves what a run of an older version has before the end of `cycle`."""
  for k in range(cycle + 1):
    store = directory.store(k)
    for identity in store.digests():
      episode = store.read(identity)
      store.discard(identity)
      store.commit(episode._replace(task=None))
    path = directory.cycle(k) / 'batch.json'
    if path.exists():
      batch = json.loads(path.read_text())
      batch['digest'] = digest_of(store.digests())
      path.write_text(json.dumps(batch))
  for k in range(cycle):
    path = directory.policy_path(k)
    policy = Policy.from_bytes(path.read_bytes())
    path.write_bytes(Policy(policy.arrays).to_bytes())
  record = json.loads(directory.teacher_record('demonstrator').read_text())
  record['task'] = [TASK.name, *TASK.spec]
  directory.teacher_record('demonstrator').write_text(json.dumps(record))


def test_it_ends_as_if_it_had_known_its_task(tmp_path: Path) -> None:
  teacher = counting.address(tmp_path / 'log')
  run = harness.complete(tmp_path, teacher=teacher)
  directory = RunDirectory(run.directory)
  digests = [directory.policy(k).digest for k in range(3)]  # type: ignore[union-attr]  # They are there.
  # The second cycle has one of its episodes.
  last = EpisodeStore(tmp_path / 'last')
  last.commit(next(iter(directory.store(2))))
  shutil.rmtree(directory.cycle(2))
  directory.store(2).commit(next(iter(last)))
  forget_tasks(directory, 2)
  assert all(e.task is None for k in range(3) for e in directory.store(k))
  run = harness.complete(tmp_path, teacher=teacher)
  harness.check_counts(run.directory)
  policies = [directory.policy(k) for k in range(3)]
  assert [policy and policy.digest for policy in policies] == digests
  assert [policy and policy.task for policy in policies] == [None, None, TASK]
  assert [e.task for e in directory.store(2)] == [None, TASK]
