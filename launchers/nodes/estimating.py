"""The learner's part of the gate: what the rules are to compare."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Optional

from agents.deployed.policy import Policy
from datasets.types import EpisodeId
from launchers.gates import rules
from launchers.gates.data import Data
from launchers.gates.estimates import Question, estimate
from launchers.gates.fits import FitOptions
from launchers.runs import deployments
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

_GATE = 4  # The role of its seeds.


def estimates(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  cycle: int,
  candidate: Policy,
  identities: Collection[EpisodeId],
  tick: Callable[[], None],
  report: Callable[[int, int], None],
) -> Optional[dict[str, Any]]:
  """What is known of a cycle's policy before it is deployed.

  Args:
    config: of the run.
    directory: of the run; has the episodes.
    cycle: whose policy it is.
    candidate: the policy.
    identities: the episodes that it was learned from.
    tick: called now and then; what it raises ends the estimates.
    report: told how many updates of a fit are done, of how many.

  Returns:
    See `launchers.gates.estimates.estimate`; None where no rule compares
    anything.
  """
  needed = rules.needs(config.gate.rule)
  if not needed:
    return None
  episodes = []
  for number in sorted({identity.cycle for identity in identities}):
    for episode in directory.store(number):
      tick()
      if episode.identity in identities:
        episodes.append(episode)
  behaviours = {}
  for number in range(1, cycle + 1):
    policy = deployments.policy_in(directory, number)
    behaviours[policy.digest] = policy
  before = deployments.policy_in(directory, cycle) if cycle else None
  question = Question(
    candidate,
    before,
    config.acting_noise,
    behaviours,
    config.agent.discount,
    FitOptions(config.gate_updates, config.gate.members, batch_size=128),
    (config.seed, _GATE, cycle),
    [e for k in range(1, cycle) for e in _error(directory, k)],
  )
  return estimate(question, Data(episodes), needed, tick, report)


def _error(directory: RunDirectory, cycle: int) -> list[float]:
  """What a cycle's estimate of the deployed policy was off by, if known."""
  record = directory.read_json(deployments.gate_path(directory, cycle)) or {}
  found: Mapping[str, Any] = record.get('estimates') or {}
  fitted, direct = found.get('fitted_q'), found.get('direct')
  if not fitted or not direct or not fitted['settled']:
    return []
  return [fitted['before'] - direct['mean']]
