"""The conductor's gate: whether a cycle's policy is deployed, written down."""

from typing import Any, Optional

from agents.deployed.policy import Policy
from datasets import files
from launchers.gates import rules
from launchers.gates.rules import Verdict
from launchers.nodes.ledger import RunFailedError
from launchers.runs import deployments
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory


class Gate:
  """Judges one policy after the other; the conductor calls it."""

  def __init__(self, config: GrowingBatchConfig, directory: RunDirectory):
    self._config = config
    self._directory = directory
    self._written: Optional[dict[str, Any]] = None
    self.waiting: Optional[str] = None
    """What a person is waited for, as a sentence; None: nobody is."""

  def judge(
    self, cycle: int, learned: bytes, estimates: Optional[dict[str, Any]]
  ) -> Verdict:
    """The verdict on a cycle's policy, by now; asked again while it waits.

    Args:
      cycle: whose it is.
      learned: the policy.
      estimates: what the rules compare; None where they compare nothing.

    Raises:
      RunFailedError: a person rejected the first policy.
    """
    directory, rule = self._directory, self._config.gate.rule
    candidate = Policy.from_bytes(learned).digest
    approval = None
    path = deployments.approval_path(directory, cycle)
    if path.exists():
      approval = rules.approval_of(directory.read_json(path), candidate)
    found = estimates or {}
    verdict = rules.decide(
      rule, found.get('quantities', {}), cycle > 0, approval,
      found.get('notes', ()),
    )  # fmt: skip
    if verdict.outcome == 'passes':
      self.waiting = None
    else:
      candidate_path = deployments.candidate_path(directory, cycle)
      if not candidate_path.exists() or self._written is None:
        candidate_path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(candidate_path, learned)
      self.waiting = self._call(cycle, verdict)
    self._write(
      cycle,
      {
        'cycle': cycle,
        'rule': list(rule),
        'verdict': verdict.outcome,
        'reason': verdict.reason,
        'candidate': candidate,
        'before': self._before(cycle),
        'acting_noise': self._config.acting_noise,
        'estimates': estimates,
        'approval': approval._asdict() if approval else None,
      },
    )
    if verdict.outcome == 'held back' and not cycle:
      raise RunFailedError(
        f'The policy of cycle 0 may not be deployed: {verdict.reason} There is '
        'none before it. Begin another run, with other demonstrations.'
      )
    return verdict

  def conclude(self, cycle: int, learned: bytes, verdict: Verdict) -> bytes:
    """What the cycle publishes: its policy, or the one that stays deployed."""
    self._written, self.waiting = None, None
    if verdict.outcome == 'held back':
      return deployments.path_in(self._directory, cycle).read_bytes()
    deployments.candidate_path(self._directory, cycle).unlink(missing_ok=True)
    return learned

  def _before(self, cycle: int) -> Optional[str]:
    if not cycle:
      return None
    return deployments.policy_in(self._directory, cycle).digest

  def _write(self, cycle: int, record: dict[str, Any]) -> None:
    if record != self._written:
      path = deployments.gate_path(self._directory, cycle)
      self._directory.write_json(path, record)
      self._written = record

  def _call(self, cycle: int, verdict: Verdict) -> Optional[str]:
    if verdict.outcome == 'held back':
      return None
    root = self._directory.root
    return (
      f'Cycle {cycle} waits for a person: {verdict.reason} To decide, look at '
      f'{deployments.gate_path(self._directory, cycle)} and give: python -m '
      f'launchers.approve {root} {cycle} --by NAME (or --reject)'
    )
