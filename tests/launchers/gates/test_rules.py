"""The rules' verdicts, and what they say."""

import pytest

from launchers.gates.rules import Approval, decide

QUANTITIES = {'lower': 40.0, 'before': 43.0, 'range': 100.0, 'outside': 0.02}
YES = Approval(True, 'Ada', '2026-12-01T10:00:00+00:00', 'abc')


@pytest.mark.parametrize(
  ('rule', 'changes', 'outcome', 'says'),
  [
    (['always'], {}, 'passes', 'Every policy passes.'),
    (
      ['no_worse'], {}, 'passes',
      'no_worse: the lower bound of its value is 40, not below 38 (before 43, '
      'less 5% of the range).',
    ),
    (
      ['no_worse'], {'lower': 37.9}, 'held back',
      'no_worse: the lower bound of its value is 37.9, below 38 (before 43, '
      'less 5% of the range).',
    ),
    (
      ['no_worse'], {'lower': None}, 'held back',
      'no_worse: the lower bound of its value is unknown (few updates).',
    ),
    (
      ['supported'], {}, 'passes',
      'supported: the share of states where it leaves the data is 2.0%, not '
      'above 5.0%.',
    ),
    (
      ['supported'], {'outside': 0.4}, 'held back',
      'supported: the share of states where it leaves the data is 40.0%, above '
      '5.0% (few updates).',
    ),
    (['person'], {}, 'waits for a person', 'a person has to approve it.'),
  ],
)  # fmt: skip
def test_a_rule_says_its_value_and_bound(
  rule: list[str], changes: dict, outcome: str, says: str
) -> None:
  notes = ['few updates'] if 'few updates' in says else []
  verdict = decide(rule, {**QUANTITIES, **changes}, True, notes=notes)
  assert verdict == (outcome, says)


def test_all_of_several_must_hold() -> None:
  rule = ['supported', 'no_worse']
  assert decide(rule, QUANTITIES, True).outcome == 'passes'
  both = decide(rule, {**QUANTITIES, 'outside': 0.9, 'lower': 0.0}, True)
  assert both.outcome == 'held back'
  assert 'supported:' in both.reason
  assert 'no_worse:' in both.reason
  one = decide(rule, {**QUANTITIES, 'outside': 0.9}, True)
  assert 'no_worse' not in one.reason
  # A person is not asked about what may not be deployed.
  asked = decide(['person', *rule], {**QUANTITIES, 'outside': 0.9}, True, YES)
  assert asked.outcome == 'held back'


def test_a_person_decides() -> None:
  assert decide(['person'], {}, True, YES).outcome == 'passes'
  assert 'Ada approved it' in decide(['person'], {}, True, YES).reason
  no = YES._replace(approved=False)
  assert decide(['person'], {}, True, no).outcome == 'held back'


def test_of_the_first_policy() -> None:
  first = decide(['no_worse'], {}, False)
  assert first.outcome == 'passes'
  assert 'nothing was deployed before it' in first.reason
  # Held back it cannot be: a person decides.
  far = decide(['supported'], {'outside': 0.5}, False)
  assert far.outcome == 'waits for a person'
  assert '50.0%' in far.reason
  assert decide(['supported'], {'outside': 0.5}, False, YES).outcome == 'passes'
