"""The conductor: owns a run's state, act → learn → evaluate → gate → publish.

The other nodes ask it what to do (`act_order`, `learn_order`,
`evaluation_order`) and tell it what was done (`committed`, `learned`,
`evaluated`). A node may ask or tell twice: the second time changes nothing.
What must outlive the process is in the run directory, so that a conductor
that starts again goes on where the directory is.
"""

import collections
from collections.abc import Callable
import time
from typing import Any, Optional

from agents.deployed.policy import Policy
from launchers.gates.rules import Verdict
from launchers.nodes import cycle_record
from launchers.nodes.collecting import Collecting
from launchers.nodes.evaluations import Evaluations
from launchers.nodes.gate import Gate
from launchers.nodes.leases import OWN_EVALUATOR
from launchers.runs import provenance
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import EvaluationKey, RunDirectory

_TICK = 0.05  # Seconds between two looks at the state.


class Conductor(Collecting):
  """State of one run, served to the other nodes."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    wait_for_stop: Callable[[float], bool],
  ):
    super().__init__(config, directory)
    self._wait_for_stop = wait_for_stop
    self._evaluations = Evaluations(config, directory)
    self._gate = Gate(config, directory)
    self._estimates: Optional[dict[str, Any]] = None
    self._troubles: dict[str, str] = {}
    self._warnings: dict[str, str] = {}
    self._learned: Optional[bytes] = None
    self._learner: dict[str, Any] = {}
    self._seconds: dict[str, float] = collections.defaultdict(float)
    # As the program was launched: its sources may change while it runs.
    self._provenance = provenance.collect()

  # --- What the learner calls. ---

  def learn_order(self) -> Optional[dict[str, Any]]:
    """The cycle to learn and the digests of exactly the data to learn from."""
    with self._lock:
      if self._phase != 'learn' or self._learned is not None:
        return None
      digests = self._ledger.digests(self._cycles())
      return {
        'cycle': self._cycle,
        'digests': {tuple(identity): d for identity, d in digests.items()},
      }

  def progress(self, progress: dict[str, Any]) -> None:
    """Told of the learner's phase, step, last step, rate and metrics."""
    with self._lock:
      self._learner = {**self._learner, **progress}
      self._warnings.update(cycle_record.warnings(progress))

  def evaluate(self, step: int, policy: bytes) -> None:
    """Asked to evaluate the online policy of learner step `step`."""
    with self._lock:
      self._evaluations.ask(('interval', self._cycle, step), policy)

  def learned(
    self,
    cycle: int,
    policy: bytes,
    estimates: Optional[dict[str, Any]] = None,
  ) -> None:
    """Told that `cycle` is learned; `policy` is to be checked and published.

    Args:
      cycle: which.
      policy: that it has made.
      estimates: what the gate's rules compare; None if they compare nothing.
    """
    with self._lock:
      if cycle == self._cycle and self._phase == 'learn':
        self._learned, self._estimates = policy, estimates

  # --- What the evaluator calls. ---

  def evaluation_order(
    self, evaluator: str, has_teacher: bool = True
  ) -> Optional[dict[str, Any]]:
    """The next policies to evaluate.

    Args:
      evaluator: its name.
      has_teacher: whether it can evaluate the demonstrator.
    """
    with self._lock:
      if evaluator != OWN_EVALUATOR:  # That is looked after by the program.
        self._leases.renew(evaluator)
      living = {OWN_EVALUATOR, *self._leases.workers}
      return self._evaluations.order(evaluator, living, has_teacher)

  def evaluated(
    self,
    key: EvaluationKey,
    returns: list[float],
    failures: list[str],
    core_seconds: float,
  ) -> None:
    """Told the returns of one, why episodes failed, and the time it took."""
    with self._lock:
      self._evaluations.record(key, returns, failures, core_seconds)

  # --- What those who ask a teacher call. ---

  def trouble(self, node: str, message: Optional[str]) -> None:
    """Told what keeps a teacher from answering a node; None: nothing does."""
    with self._lock:
      if message is None:
        self._troubles.pop(node, None)
      else:
        self._troubles[node] = message

  def warn(self, line: str) -> None:
    """Told what a person should know, of anybody."""
    with self._lock:
      self._warnings[line] = line

  # --- What the display calls. ---

  def status(self) -> dict[str, Any]:
    """Where the run is, for a person."""
    with self._lock:
      return {
        'cycle': self._cycle,
        'phase': self._phase,
        'pending': len(self._evaluations),
        'skipped': self._evaluations.skipped(self._cycle),
        'troubles': dict(self._troubles),
        'learner': self._learner,
        'seconds': dict(self._seconds),
        'warnings': sorted(self._warnings.values()),
        **self._ledger.status(),
        'refused': self._ledger.refused(self._cycle),
        'hosts': self._hosts(),
        'lost': self._leases.lost,
        'gate': self._gate.waiting,
      }

  # --- The loop. ---

  def run(self) -> None:
    """Advances the run until the program stops.

    Raises:
      RunFailedError: too many episodes were refused, or data have changed.
    """
    with self._lock:
      if self._directory.read_json(self._directory.teacher_result) is None:
        # Not by its policy: it may be any program.
        self._evaluations.ask(('teacher', 0, 0), b'')
    last = time.monotonic()
    while not self._wait_for_stop(_TICK):
      with self._lock:
        if self._failure:
          raise self._failure
        now = time.monotonic()
        self._seconds[self._phase] += now - last
        last = now
        self._advance()
    with self._lock:
      self._evaluations.close()

  def _advance(self) -> None:
    if self._phase == 'act' and self._ledger.is_full(self._cycles()):
      self._freeze_data()
      self._phase = 'learn'
    elif self._phase == 'learn' and self._learned is not None:
      self._evaluations.ask(self._final(), self._learned)
      self._phase = 'evaluate'
    elif self._phase in ('evaluate', 'gate') and not len(self._evaluations):
      assert self._learned is not None
      self._phase = 'gate'
      verdict = self._gate.judge(self._cycle, self._learned, self._estimates)
      if self._gate.waiting is not None:
        return
      self._publish(verdict)
      self._cycle += 1
      is_done = self._cycle > self._config.cycles
      self._phase = 'done' if is_done else 'act'
      self._learned, self._learner = None, {}
      self._seconds.clear()
      self._ledger.new_steps = 0

  def _freeze_data(self) -> None:
    """Records what the cycles' data are, or checks that they still are that."""
    for cycle in self._cycles():
      batch = self._ledger.batch(cycle)
      cycle_record.freeze(self._directory, cycle, batch)
      episode_steps = self._config.episode_steps
      self._warnings.update(cycle_record.shortage(batch, episode_steps))

  def _publish(self, verdict: Verdict) -> None:
    """Writes what the cycle was, and last of all the policy that is out now."""
    assert self._learned is not None
    cycle, directory = self._cycle, self._directory
    policy = self._gate.conclude(cycle, self._learned, verdict)
    outcome = cycle_record.outcome(
      cycle, self._ledger, self._evaluations, self._final()
    )
    record = {
      **outcome,
      'acted_by': dict(self._acted[cycle]),
      'learned_from': self._cycles(),
      'learner': self._learner,
      'seconds': {k: round(v, 2) for k, v in self._seconds.items()},
      'policy_digest': Policy.from_bytes(policy).digest,
      'provenance': self._provenance,
    }
    if verdict.outcome == 'held back':
      record['held_back'] = verdict.reason
      line = cycle_record.held_back(cycle, verdict.reason)
      self._warnings[f'held back {cycle}'] = line
    directory.write_json(directory.cycle(cycle) / 'cycle.json', record)
    directory.publish(cycle, policy)

  def _final(self) -> EvaluationKey:
    step = self._cycle * self._config.learner_steps_per_cycle
    return 'final', self._cycle, step
