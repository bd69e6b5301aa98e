"""The policies that a run has made: the best, the last, and steps back."""

import math
from pathlib import Path
from typing import NamedTuple, Optional

from launchers.reports.data import Estimate, RunRecord, policy_name

_ERRORS = 2.0  # Standard errors of a difference that is more than chance.


class Made(NamedTuple):
  """A policy that was evaluated.

  Attributes:
    role: why it is named.
    cycle: k of π_k.
    estimate: its return.
    path: its file.
  """

  role: str
  cycle: int
  estimate: Estimate
  path: Path


def notable(run: RunRecord) -> list[Made]:
  """The last policy, which the next cycle deploys, and the best."""
  finals = run.finals
  if not finals:
    return []
  best, best_return = max(finals, key=lambda pair: pair[1].mean)
  last, last_return = finals[-1]
  if best == last:
    return [_made(run, 'best, and deployed last', best, best_return)]
  return [
    _made(run, 'best', best, best_return),
    _made(run, 'deployed last', last, last_return),
  ]


def setbacks(run: RunRecord) -> dict[int, str]:
  """The cycles whose policy is worse than one before, each with a sentence.

  Worse by more than chance: by two standard errors of the difference.
  """
  found = {}
  finals = dict(run.finals)
  start = finals.get(0)
  for cycle, final in run.finals:
    name, before = policy_name(cycle), finals.get(cycle - 1)
    below_start = (
      f'below π₀, the cloned policy ({start})'
      if start and cycle and final.mean < start.mean
      else ''
    )
    if _is_worse(final, before):
      found[cycle] = (
        f'Cycle {cycle} made it worse: {name} returns {final}, '
        f'{policy_name(cycle - 1)} {before}'
        + (f'; that is {below_start}.' if below_start and cycle > 1 else '.')
      )
    elif below_start and _is_worse(final, start):
      found[cycle] = f'{name} returns {final}, {below_start}.'
  return found


def held_back(run: RunRecord) -> list[str]:
  """A sentence for each policy that was not deployed."""
  return [
    f'{policy_name(cycle.number)} was held back, and what was deployed before '
    f'stays. {cycle.held_back}'
    for cycle in run.cycles
    if cycle.held_back is not None
  ]


def _is_worse(value: Estimate, other: Optional[Estimate]) -> bool:
  if other is None:
    return False
  variances = (e.std**2 / max(e.episodes, 1) for e in (value, other))
  return value.mean < other.mean - _ERRORS * math.sqrt(sum(variances))


def _made(run: RunRecord, role: str, cycle: int, estimate: Estimate) -> Made:
  path = run.directory / 'cycles' / f'{cycle:03d}' / 'policy.npz'
  return Made(role, cycle, estimate, path)
