"""The rules by which a policy may be deployed, as data, and their verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Optional, Union

Outcome = Literal['passes', 'held back', 'waits for a person']
Quantities = Mapping[str, Optional[float]]
"""By name; None where it could not be had."""

OUTSIDE = 0.05
"""Share of states in which a supported policy may leave the data."""
WORSE = 0.05
"""Share of the range of values that a policy may be worse by."""


class Condition(NamedTuple):
  """What must hold: quantity >= reference - margin, or <=.

  Attributes:
    quantity: its name.
    name: the same for a person.
    comparison: which.
    reference: another quantity's name, or a number.
    margin: a share of the quantity 'range' that does not count.
    digits: how it is written, as of a format.
  """

  quantity: str
  name: str
  comparison: Literal['>=', '<=']
  reference: Union[str, float]
  margin: float = 0.0
  digits: str = '.4g'

  def check(self, quantities: Quantities) -> tuple[bool, str]:
    """Whether it holds, and that as a sentence without its end."""
    value = quantities.get(self.quantity)
    if isinstance(self.reference, str):
      other = quantities.get(self.reference)
    else:
      other = self.reference
    if value is None or other is None:
      return False, f'{self.name} is unknown'
    margin = self.margin * (quantities.get('range') or 0.0)
    sign = -1 if self.comparison == '>=' else 1
    bound = other + sign * margin
    holds = value >= bound if self.comparison == '>=' else value <= bound
    opposite = 'below' if self.comparison == '>=' else 'above'
    side = f'not {opposite}' if holds else opposite
    allowed = ''
    if isinstance(self.reference, str):
      allowed = (
        f' ({self.reference.replace("_", " ")} {other:.4g}, less '
        f'{self.margin:.0%} of the range)'
      )
    text = (
      f'{self.name} is {value:{self.digits}}, {side} '
      f'{bound:{self.digits}}{allowed}'
    )
    return bool(holds), text


RULES: dict[str, tuple[Condition, ...]] = {
  'always': (),
  'no_worse': (
    Condition('lower', 'the lower bound of its value', '>=', 'before', WORSE),
  ),
  'supported': (
    Condition(
      'outside', 'the share of states where it leaves the data', '<=', OUTSIDE,
      digits='.1%',
    ),
  ),
  'person': (),
}  # fmt: skip
"""Of each rule what must hold; `person` asks besides."""


class Approval(NamedTuple):
  """What a person decided.

  Attributes:
    approved: or rejected.
    by: who.
    time: when, in ISO's form.
    candidate: digest of the policy that it is about.
  """

  approved: bool
  by: str
  time: str
  candidate: str


class Verdict(NamedTuple):
  """What is to be done with a policy.

  Attributes:
    outcome: passes, held back, or waits for a person.
    reason: a sentence for a person, with each value and its bound.
  """

  outcome: Outcome
  reason: str


def decide(
  rule: Sequence[str],
  quantities: Quantities,
  has_before: bool,
  approval: Optional[Approval] = None,
  notes: Sequence[str] = (),
) -> Verdict:
  """The verdict of some rules, all of which must hold.

  Args:
    rule: their names.
    quantities: what they compare.
    has_before: whether a policy was deployed before this one; if not, none can
      stay deployed, and `no_worse` compares it with nothing.
    approval: what a person has decided about this very policy.
    notes: why what is unknown is not known.
  """
  failed: list[str] = []
  held: list[str] = []
  for name in rule:
    if name == 'no_worse' and not has_before:
      held.append(f'{name}: nothing was deployed before it')
      continue
    for condition in RULES[name]:
      holds, text = condition.check(quantities)
      (held if holds else failed).append(f'{name}: {text}')
  facts = '; '.join(failed or held)
  if failed and notes:
    facts += f' ({"; ".join(notes)})'
  if failed and has_before:
    return Verdict('held back', f'{facts}.')
  asks = 'person' in rule or bool(failed)
  if not asks:
    return Verdict('passes', f'{facts}.' if facts else 'Every policy passes.')
  if failed:
    facts += '; nothing was deployed before it that could stay'
  said = f'{facts}; ' if facts else ''
  if approval is None:
    return Verdict('waits for a person', f'{said}a person has to approve it.')
  verb = 'approved' if approval.approved else 'rejected'
  outcome: Outcome = 'passes' if approval.approved else 'held back'
  return Verdict(outcome, f'{said}{approval.by} {verb} it at {approval.time}.')


def needs(rule: Sequence[str]) -> set[str]:
  """The quantities that some rules compare."""
  conditions = [c for name in rule for c in RULES[name]]
  return {c.quantity for c in conditions}


def approval_of(
  record: Optional[Mapping[str, Any]], candidate: str
) -> Optional[Approval]:
  """What a person decided about a policy of this digest, if anything."""
  if record is None or record['candidate'] != candidate:
    return None
  return Approval(**{name: record[name] for name in Approval._fields})
