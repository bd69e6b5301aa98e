"""The conductor's gate, what it writes, and what acts because of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents import registry
from datasets.files import DamagedFileError
from datasets.types import EnvironmentSpec
from launchers.approve import ApproveConfig, approve
from launchers.nodes.gate import Gate
from launchers.nodes.ledger import RunFailedError
from launchers.rollback import RollbackConfig, rollback
from launchers.runs import deployments
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.gate_config import GateConfig
from launchers.runs.run_directory import RunDirectory
from studies import point
from tests.launchers.harness import random_policy

POLICIES = [random_policy(seed).to_bytes() for seed in range(4)]
DIGESTS = [random_policy(seed).digest for seed in range(4)]
FAR = {'quantities': {'outside': 0.5}, 'notes': [], 'support': {}}
NEAR = {'quantities': {'outside': 0.01}, 'notes': []}


def made(
  tmp_path: Path, *rule: Any, published: int = 0
) -> tuple[RunDirectory, Gate]:
  config = GrowingBatchConfig(name='run', gate=GateConfig(rule))
  directory = RunDirectory(tmp_path / 'run')
  directory.write_json(directory.config, config.to_json())
  for cycle in range(published):
    directory.cycle(cycle).mkdir(parents=True)
    directory.publish(cycle, POLICIES[cycle])
  return directory, Gate(config, directory)


def record(directory: RunDirectory, cycle: int) -> dict[str, Any]:
  found = directory.read_json(deployments.gate_path(directory, cycle))
  assert found is not None
  return found


def test_always_adds_a_record_alone(tmp_path: Path) -> None:
  directory, gate = made(tmp_path, 'always', published=1)
  verdict = gate.judge(1, POLICIES[1], None)
  assert gate.waiting is None
  assert gate.conclude(1, POLICIES[1], verdict) == POLICIES[1]
  assert [p.name for p in directory.cycle(1).iterdir()] == ['gate.json']
  assert record(directory, 1)['verdict'] == 'passes'


def test_what_is_held_back_is_kept_and_the_one_before_stays(
  tmp_path: Path,
) -> None:
  directory, gate = made(tmp_path, 'supported', published=1)
  verdict = gate.judge(1, POLICIES[1], FAR)
  assert gate.waiting is None
  assert gate.conclude(1, POLICIES[1], verdict) == POLICIES[0]
  candidate = deployments.candidate_path(directory, 1)
  assert candidate.read_bytes() == POLICIES[1]
  said = record(directory, 1)
  assert said['verdict'] == 'held back'
  assert '50.0%' in said['reason']
  assert (said['candidate'], said['before']) == (DIGESTS[1], DIGESTS[0])
  # The next passes: it is compared with what is deployed.
  directory.publish(1, POLICIES[0])
  verdict = gate.judge(2, POLICIES[2], NEAR)
  assert record(directory, 2)['before'] == DIGESTS[0]
  assert gate.conclude(2, POLICIES[2], verdict) == POLICIES[2]


@pytest.mark.parametrize('reject', [False, True])
def test_a_person_is_waited_for(tmp_path: Path, reject: bool) -> None:
  directory, gate = made(tmp_path, 'person', published=1)
  config = ApproveConfig(directory.root, 1, 'Ada', reject)
  with pytest.raises(ValueError, match=r'waits for nobody .was not judged yet'):
    approve(config)
  gate.judge(1, POLICIES[1], None)
  assert 'launchers.approve' in str(gate.waiting)
  assert deployments.candidate_path(directory, 1).exists()
  approve(config)
  with pytest.raises(ValueError, match=r'Ada (approved|rejected) the policy'):
    approve(ApproveConfig(directory.root, 1, 'Bob', not reject))
  verdict = gate.judge(1, POLICIES[1], None)
  assert gate.waiting is None
  published = gate.conclude(1, POLICIES[1], verdict)
  assert published == POLICIES[0 if reject else 1]
  assert deployments.candidate_path(directory, 1).exists() is reject
  said = record(directory, 1)
  assert said['approval']['by'] == 'Ada'
  assert said['verdict'] == ('held back' if reject else 'passes')
  with pytest.raises(ValueError, match='waits for nobody'):
    approve(config)


def test_an_approval_is_of_one_policy(tmp_path: Path) -> None:
  _, gate = made(tmp_path, 'person', published=1)
  gate.judge(1, POLICIES[1], None)
  approve(ApproveConfig(tmp_path / 'run', 1, 'Ada'))
  gate.judge(1, POLICIES[2], None)
  assert gate.waiting is not None


def test_the_first_policy_has_none_before_it(tmp_path: Path) -> None:
  directory, gate = made(tmp_path, 'supported', 'no_worse')
  gate.judge(0, POLICIES[0], FAR)
  assert gate.waiting is not None
  assert '50.0%' in gate.waiting
  approve(ApproveConfig(directory.root, 0, 'Ada', reject=True))
  with pytest.raises(RunFailedError, match='Ada rejected it'):
    gate.judge(0, POLICIES[0], FAR)


def test_a_rollback_is_of_the_next_cycle(tmp_path: Path) -> None:
  directory, _ = made(tmp_path, 'always', published=3)
  before = {p: p.read_bytes() for p in directory.root.rglob('*.npz')}
  assert deployments.policy_in(directory, 3).digest == DIGESTS[2]
  done = rollback(RollbackConfig(directory.root, 0, 'Ada'))
  assert (done['cycle'], done['to'], done['digest']) == (3, 0, DIGESTS[0])
  assert deployments.policy_in(directory, 3).digest == DIGESTS[0]
  # The last word counts; the first stays in the journal.
  rollback(RollbackConfig(directory.root, 1, 'Bob'))
  assert deployments.policy_in(directory, 3).digest == DIGESTS[1]
  assert [r.by for r in deployments.rollbacks(directory)] == ['Ada', 'Bob']
  assert deployments.policy_in(directory, 2).digest == DIGESTS[1]
  assert {p: p.read_bytes() for p in before} == before


def test_a_rollback_that_cannot_be_is_refused(tmp_path: Path) -> None:
  directory, _ = made(tmp_path, 'always', published=2)
  with pytest.raises(ValueError, match=r'--to is 2; .* the policies 0 … 1'):
    rollback(RollbackConfig(directory.root, 2, 'Ada'))
  with pytest.raises(ValueError, match='--by is'):
    RollbackConfig(directory.root, 0, ' ')
  directory.store(2).commit(point.log(1, 1.0)[0])
  with pytest.raises(ValueError, match='Cycle 2 has 1 episodes'):
    rollback(RollbackConfig(directory.root, 0, 'Ada'))
  assert not deployments.rollbacks(directory)
  empty, _ = made(tmp_path / 'empty', 'always')
  with pytest.raises(ValueError, match='has published no policy'):
    rollback(RollbackConfig(empty.root, 0, 'Ada'))
  with pytest.raises(FileNotFoundError, match='no run directory'):
    rollback(RollbackConfig(tmp_path / 'none', 0, 'Ada'))


@pytest.mark.parametrize('rule', [(), ('always', 'person'), ('person',) * 2])
def test_rules_that_contradict_each_other_are_refused(rule: Any) -> None:
  with pytest.raises(ValueError, match=r'gate.rule is'):
    GateConfig(rule)


@pytest.mark.parametrize('kind', ['d4pg', 'mpo', 'bear_mmd'])
def test_the_anchor_is_what_is_deployed(kind: str) -> None:
  config = registry.find(kind).config()
  spec = EnvironmentSpec(3, 2)
  learner, other = (registry.make_networks(config, spec, s) for s in (0, 1))
  learner.begin_cycle()
  deployed = other.export()
  learner.deploy(deployed)
  frozen = learner.previous_policy.variables
  for mine, theirs in zip(frozen, other.policy.variables, strict=True):
    assert (mine.numpy() == theirs.numpy()).all()
  # What learns goes on from its own state.
  assert learner.export().digest != deployed.digest


def test_records_are_checked(tmp_path: Path) -> None:
  directory, gate = made(tmp_path, 'always', published=1)
  gate.judge(1, POLICIES[1], None)
  path = deployments.gate_path(directory, 1)
  tree = json.loads(path.read_text())
  path.write_text(json.dumps({**tree, 'verdict': 3}))
  with pytest.raises(DamagedFileError, match='verdict'):
    record(directory, 1)
