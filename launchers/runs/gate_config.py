"""The options of a run's gate."""

import dataclasses
from typing import Literal, Optional

from datasets import bounds

Rule = Literal['always', 'no_worse', 'supported', 'person']


@dataclasses.dataclass(frozen=True)
class GateConfig:
  """What decides whether a cycle's policy is deployed; see docs/gate.md."""

  rule: tuple[Rule, ...] = ('always',)
  """All of these must let it: always; no_worse, by an estimate of its value;
  supported, near to the data; person, who runs launchers.approve."""
  updates: Optional[int] = None
  """Of the fit that no_worse goes by; None: a tenth of a cycle's updates."""
  members: int = 5
  """Networks of that fit, each on other draws of the episodes."""

  def __post_init__(self) -> None:
    """Refuses values that no run could honour."""
    bounds.check(self, updates=(1, None), members=(1, 100))
    is_alone = len(self.rule) == 1 or 'always' not in self.rule
    if not self.rule or not is_alone or len(set(self.rule)) < len(self.rule):
      raise ValueError(
        f'gate.rule is {" ".join(self.rule) or "empty"}; name always alone, or '
        'one or more of no_worse, supported and person, each once.'
      )
