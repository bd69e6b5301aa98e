"""The contract: what is well made passes, and each fault has its finding."""

import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from launchers import check_environment
from launchers.environments import contract
from launchers.environments.contract import EnvironmentContract
from launchers.environments.trial import Trial
from tests.launchers.harness import ROOT

HERE = 'tests.launchers.environments.examples'


class TestSuite(EnvironmentContract):
  task = 'walker-run'


class TestUnboundedSuite(EnvironmentContract):
  task = 'lqr-lqr_2_1'
  action_bound = 1.0


class TestGymnasium(EnvironmentContract):
  task = 'gymnasium:Pendulum-v1'


class TestGymnasiumsMuJoCo(EnvironmentContract):
  task = 'gymnasium:Hopper-v5'


class TestManipulation(EnvironmentContract):
  task = 'reach_site_features'
  steps = 20


class TestLocomotion(EnvironmentContract):
  task = 'rodent_two_touch'
  steps = 20


class TestGymnasiumOfAUser(EnvironmentContract):
  task = f'{HERE}:point?limit=15'


class TestDmEnvOfAUser(EnvironmentContract):
  task = f'{HERE}:pendulum'


class TestDmEnvThatIsRemade(EnvironmentContract):
  task = f'{HERE}:remade'


FAULTS = {
  'point?raises=0.1': {'raises nothing'},
  'point?fault=reset': {'raises nothing'},
  'point?nan=0.1': {'finite'},
  'point?fault=width': {'as specified'},
  'point?fault=rewards': {'one reward'},
  'pendulum?fault=discount': {'discounts'},
  'pendulum?fault=restarts': {'discounts'},
  'point?fault=unseeded': {'seeded'},
  'unseeded': {'seeded'},
  'point?fault=remembers': {'forgets'},
  'point?limit=40&leak=1000000': {'keeps its size'},
  'point?fault="time limit"': {'terminates for a reason'},
  'point?fault=global': {'seeded'},
}


@pytest.mark.parametrize('fault', FAULTS)
def test_each_fault_is_found(fault: str) -> None:
  trial = Trial(f'{HERE}:{fault}')
  findings = [check(trial) for check in contract.CHECKS]
  assert {f.check for f in findings if not f.ok} == FAULTS[fault]
  for finding in findings:
    assert finding.detail
    assert finding.ok or finding.remedy


def test_a_leak_is_found_where_the_heap_has_free_room() -> None:
  # Blocks above the allocator's threshold would be given back one by one; when
  # a large one has been freed, that is higher than they are.
  large = [os.urandom(31_000_000) for _ in range(2)]
  del large
  blocks = [(os.urandom(1_000_000), os.urandom(5_000)) for _ in range(800)]
  pins = [pin for _, pin in blocks]
  del blocks
  trial = Trial(f'{HERE}:point?limit=40&leak=1000000')
  assert not contract.check_memory(trial).ok
  assert len(pins) == 800


def test_each_finding_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
  trial = Trial(f'{HERE}:point?fault=width')
  findings = [check(trial) for check in contract.CHECKS]
  details = {finding.check: finding.detail for finding in findings}
  width = details['as specified']
  assert width.startswith('5 of 5 episodes had an observation of another shape')
  assert "observation ''" not in width
  assert details['finite'] == (
    '0 of 5 episodes had a number that is NaN or infinite.'
  )
  check_environment.show(findings, Console(width=200))
  assert 'learn what is not so: as specified.' in capsys.readouterr().out
  good = [finding for finding in findings if finding.ok]
  check_environment.show(good, Console(width=200))
  assert 'Nothing that would trouble a run' in capsys.readouterr().out


def test_what_cannot_be_judged_is_not_called_good(
  capsys: pytest.CaptureFixture[str],
) -> None:
  trial = Trial(f'{HERE}:point?fault=unseeded')
  findings = [check(trial) for check in contract.CHECKS]
  check_environment.show(findings, Console(width=200))
  printed = capsys.readouterr().out
  for name in ('forgets', 'stands alone'):
    (line,) = (line for line in printed.splitlines() if f' {name} ' in line)
    assert contract.UNJUDGED in line
    assert 'good' not in line
  assert 'at the cost that is named: seeded.' in printed


def command(*words: str) -> tuple[int, str]:
  result = subprocess.run(
    [sys.executable, '-m', 'launchers.check_environment', *words],
    cwd=ROOT, capture_output=True, text=True, timeout=120,
  )  # fmt: skip
  return result.returncode, result.stdout


@pytest.mark.parametrize(
  ('task', 'code', 'found'),
  [
    (f'{HERE}:point', 0, []),
    (f'{HERE}:unseeded', 0, ['seeded']),
    (f'{HERE}:point?nan=0.1', 1, ['finite']),
    (f'{HERE}:point?fault=crash', 1, ['survives']),
  ],
)
def test_the_command_says_what_would_go_wrong(
  task: str, code: int, found: list[str]
) -> None:
  status, output = command('--task', task)
  result = json.loads(output.splitlines()[-1])
  assert [finding['check'] for finding in result['findings']] == found
  assert status == code


def test_the_command_ends_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setattr(check_environment, '_START', 20.0)
  config = check_environment.CheckConfig(
    f'{HERE}:point?fault=hang', seconds=0.1
  )
  (finding,) = check_environment.check(config)
  assert 'gave no answer for 21 s' in finding.detail
  assert finding.breaks


def test_the_command_refuses_what_is_no_environment() -> None:
  assert command('--task', 'nothing') == (2, '')
